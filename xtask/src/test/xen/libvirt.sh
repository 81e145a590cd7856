# `morgana-machines` in dom0, as the client of `morgana daemon` and of Debian's libvirt with its driver for Xen: the same is asked of both. `hello` is in /guests.
# A start of the program takes a second or more here, so none is in vain.
set -eu
cd /guests
: >/said
: >/libvirtd.log
sed 's/^memory = .*/memory = 100000/' hello.cfg >large.cfg

fail() {
    echo "FAILURE: $*"
    echo "the daemons:"
    tail -n 30 /libvirtd.log /daemon.log 2>/dev/null || true
    exit 1
}
step() {
    echo "== $(cut -d' ' -f1 /proc/uptime) $provider: $*"
}
# Whatever comes to be true within a while.
until_true() {
    end=$(($(date +%s) + 60))
    until eval "$1"; do
        [ "$(date +%s)" -lt $end ] || fail "never: $1: $(cat /said)"
        sleep 0.2
    done
}
# What it says is in /said.
machines() {
    $program --at $provider "$@" >/said 2>&1
}
done_by() {
    machines "$@" || fail "$*: $(cat /said)"
}
# Not done, with this status, and told in words that have this in them, in one line.
refused() {
    status=$1 why=$2 got=0
    shift 2
    machines "$@" || got=$?
    [ $got = "$status" ] || fail "status $got: $*: $(cat /said)"
    [ "$(wc -l </said)" = 1 ] && grep -q "$why" /said || fail "$*: said: $(cat /said)"
}
gone() {
    ! xl domid "$1" >/dev/null 2>&1
}

# What any provider must do.
conform() {
    step "nothing is there"
    until_true 'machines list'
    [ ! -s /said ] || fail "domain 0 is listed: $(cat /said)"
    refused 1 "none: there is no such machine" stats none
    refused 2 "nothing.cfg" create nothing.cfg
    refused 1 "large: refused: .*$full" create --name large large.cfg
    [ $provider = xen ] || grep -q "Out of memory" $log || fail "its log: $(cat $log)"
    gone large || fail "half a domain is left: $(xl list)"

    step "one is made, and Xen's own tools see it"
    done_by create --name one --extra "seconds=600 a=<&>'x'" hello.cfg
    grep -q '"name":"one","state":"running"' /said || fail "made: $(cat /said)"
    number=$(xl domid one)
    refused 1 "one: refused: .*exists" create --name one hello.cfg
    done_by pause one
    done_by stats one
    grep -q '"name":"one","state":"paused","memory_kib":4096,"processors":1' /said || fail "stats: $(cat /said)"
    done_by unpause one

    step "its console, and its command line as it was meant"
    until_true 'machines $consoles console one && grep -q Hello /said'
    words=$(xenstore-read "/local/domain/$number/image/cmdline" 2>/dev/null) || words=
    [ -z "$words" ] || [ "${words%"a=<&>'x'"}" != "$words" ] || fail "its words are $words"
    done_by list
    grep -q '"name":"one","state":"running"' /said || fail "list: $(cat /said)"

    step "asked to end"
    done_by shutdown one
    until_true "$over"
    gone one || done_by destroy one
    gone one || fail "still there: $(xl list)"
    refused 1 "one: there is no such machine" destroy one

    step "one that runs as long as its client"
    $program $consoles --at $provider run --name two --extra seconds=600 hello.cfg >/ran 2>&1 &
    client=$!
    until_true 'grep -q Hello /ran || ! kill -0 $client'
    kill -INT $client
    wait $client || fail "ran: $(cat /ran)"
    grep -q "Ctrl-C ends it" /ran && grep -q "two is ended" /ran || fail "ran: $(cat /ran)"
    gone two || fail "still there: $(xl list)"
    [ "$(xl list | wc -l)" = 2 ] || fail "$(xl list)"
}

provider=xen
program=/bin/morgana-machines-xen
consoles="--consoles /var/log/xen/console"
# One that has shut down stays until somebody ends it.
full=memory
over='machines stats one && grep -q "\"state\":\"off\"" /said'
refused 1 "is .morgana daemon. running" list
morgana daemon >/daemon.log 2>&1 &
daemon=$!
conform
kill $daemon
wait $daemon || fail "the daemon ended badly"
refused 1 "is .morgana daemon. running" list

provider=libvirt:xen:///system
program=/bin/morgana-machines
consoles=
# Why it could not is in its log.
log=/var/log/libvirt/libxl/libxl-driver.log
full="failed to create.*$log there"
over='gone one'
refused 1 "lost: .*is libvirt's daemon running there" list
mkdir -p /etc/libvirt /run/libvirt /run/lock /var/lib/libvirt /var/log/libvirt
cat >/etc/libvirt/libvirtd.conf <<'CONF'
unix_sock_group = "root"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "2:file:/libvirtd.log"
CONF
# The other drivers are not wanted, and one that cannot begin ends the daemon.
drivers=/usr/lib/x86_64-linux-gnu/libvirt/connection-driver
for driver in $drivers/*; do
    [ "$driver" = $drivers/libvirt_driver_libxl.so ] || rm "$driver"
done
libvirtd >>/libvirtd.log 2>&1 &
libvirtd=$!
until_true '[ -S /run/libvirt/libvirt-sock ] || ! kill -0 $libvirtd'
conform
kill $libvirtd
wait $libvirtd || true
refused 1 "lost: " list
step "done"
echo SUCCESS
