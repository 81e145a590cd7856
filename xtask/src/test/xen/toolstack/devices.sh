# Network interfaces and disks of domains that `morgana create` makes, in dom0. `website` and `guest-disk` are here.
. /shared.sh
# What xl runs when it ends a device of ours.
[ -e /bin/true ] || ln -s /usr/bin/busybox /bin/true

has_come_and_gone website

echo "== a network interface"
id=$(morgana create website.cfg)
timeout 60 curl -sf --retry 60 --retry-all-errors --retry-delay 1 --max-time 5 http://10.0.2.50/ >/page || fail "no page: $(cat /var/log/xen/console/guest-website.log)"
grep -q "</html>" /page || fail "page: $(cat /page)"
xl network-list website | grep -q " 4 " || fail "xl network-list: $(xl network-list website)"
[ -e "/sys/class/net/xenbr0/brif/vif$id.0" ] || fail "it is not in the bridge"
morgana destroy website
until_true "[ ! -e /sys/class/net/vif$id.0 ]"
nothing_is_left

echo "== xl ends it"
id=$(morgana create website.cfg)
timeout 60 curl -sf --retry 60 --retry-all-errors --retry-delay 1 --max-time 5 http://10.0.2.50/ >/page || fail "no page"
xl destroy website
until_true "[ ! -e /sys/class/net/vif$id.0 ]"
nothing_is_left

echo "== one that was built ahead"
ahead=$(morgana prepare website.cfg)
[ -e "/sys/class/net/xenbr0/brif/vif$ahead.0" ] || fail "it is not in the bridge"
id=$(morgana create --ahead --name quick website.cfg)
[ "$id" = "$ahead" ] || fail "$id is not $ahead"
timeout 60 curl -sf --retry 60 --retry-all-errors --retry-delay 1 --max-time 5 http://10.0.2.50/ >/page || fail "no page"
morgana destroy quick
until_true "[ ! -e /sys/class/net/vif$id.0 ]"
nothing_is_left

echo "== a disk"
morgana create --wait guest-disk.cfg >/dev/null
grep -q SUCCESS /var/log/xen/console/guest-guest-disk.log || fail "disk: $(cat /var/log/xen/console/guest-guest-disk.log)"
nothing_is_left

echo "== a disk that is a file"
dd if=/dev/zero of=/disk.img bs=1M count=8 2>/dev/null
sed "s#^disk.*#disk = ['file:/disk.img,xvda,w']#" guest-disk.cfg >file.cfg
! morgana create file.cfg 2>/said || fail "made without the module"
grep -q "is the module loop loaded" /said || fail "said: $(cat /said)"
modprobe loop
losetup -a >/loops
rm -f /var/log/xen/console/guest-guest-disk.log
id=$(morgana create file.cfg)
xenstore-read "/local/domain/0/backend/vbd/$id/51712/params" | grep -qx /disk.img || fail "params"
losetup -a | grep -q /disk.img || fail "no loop device: $(losetup -a)"
until_true 'grep -q SUCCESS /var/log/xen/console/guest-guest-disk.log'
[ -n "$(tr -d '\000' </disk.img | head -c 1)" ] || fail "nothing is in the file"
morgana destroy guest-disk
nothing_is_left
until_true 'losetup -a | diff /loops -'
# Read-only, in TOML and by a path from the configuration's folder on, and ended by xl.
morgana convert guest-disk.cfg | sed "s#^target.*#target = '../disk.img'#; s#^access.*#access = 'r'#; s#do=check#do=refused#" >file.toml
rm -f /var/log/xen/console/guest-guest-disk.log
(cd / && morgana create guests/file.toml)
until_true 'grep -q SUCCESS /var/log/xen/console/guest-guest-disk.log'
xl destroy guest-disk
nothing_is_left
until_true 'losetup -a | diff /loops -'

echo "== what cannot be plugged in"
refused() {
    ! morgana create --name odd odd.cfg 2>/said || fail "made: $1"
    grep -q "$1" /said || fail "said: $(cat /said)"
    nothing_is_left
}
sed "s/^vif.*/vif = ['bridge=nowhere']/" website.cfg >odd.cfg
refused "there is no such bridge"
sed "s/^vif.*/vif = ['backend=nobody']/" website.cfg >odd.cfg
refused "no such domain as"
sed "s/^vif.*/vif = ['script=vif-bridge']/" website.cfg >odd.cfg
refused "vif: a part of it is not known"
sed 's#/dev/ram0#/dev/null#' guest-disk.cfg >odd.cfg
refused "no block device"
sed "s#^disk.*#disk = ['file:/disk.img,xvda,w', '/dev/null,raw,xvdb,w']#" guest-disk.cfg >odd.cfg
refused "no block device"
sed "s#^disk.*#disk = ['file:/disk.img,xvda,w']#; s#^vif.*#vif = ['bridge=nowhere']#" guest-disk.cfg >odd.cfg
refused "there is no such bridge"
until_true 'losetup -a | diff /loops -'
sed 's/^memory/memori/' file.toml >odd.toml
! morgana create odd.toml 2>/said || fail "made of a mistake"
grep -q "odd.toml: line 3: memori: the key is not known" /said || fail "said: $(cat /said)"
echo SUCCESS
