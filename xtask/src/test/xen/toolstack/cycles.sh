# Domains made and ended one after the other, in all ways that there are, and some that cannot be made: all that they had is back. `hello` and `website` are here.
. /shared.sh
[ -e /bin/true ] || ln -s /usr/bin/busybox /bin/true

ask() {
    morgana ask "$@" >/said || fail "$*: $(cat /said)"
}
# What Xen says when this key is pressed.
xen_says() {
    xl dmesg -c >/dev/null
    xl debug-keys "$1"
    xl dmesg
}
# What is in use of the machine, to the page, the port and the grant: pages that Xen has free, dom0's ports, the grant tables, and all nodes.
in_use() {
    echo "free pages: $(xen_says H | awk '/heap\[/ { pages += $(NF - 1) } END { print pages }')"
    echo "ports of dom0: $(xen_says e | grep -c '\[[0-9]/[0-9]/')"
    xen_says g | sed 's/^(XEN) //; s/^\[[^]]*\] //'
    nodes
}
# dom0's drivers let go a moment after the domain is gone.
is_back() {
    in_use >/after
    cmp -s /before /after
}

cycles() {
    for number in $(seq "$1"); do
        ask "{\"do\":\"create\",\"config\":\"/guests/$2.cfg\",\"name\":\"cycle\"}" '{"do":"destroy","domain":"cycle"}'
    done
}
ahead() {
    for number in $(seq "$1"); do
        ask '{"do":"keep","config":"/guests/website.cfg","count":1}'
        until_true "morgana ask '{\"do\":\"kept\"}' | grep -q '\"there\":1'"
        ask '{"do":"keep","config":"/guests/website.cfg","count":0}' '{"do":"create","config":"/guests/website.cfg","name":"cycle"}' \
            '{"do":"destroy","domain":"cycle"}'
    done
}
by_hand() {
    for number in $(seq "$1"); do
        morgana create --name cycle hello.cfg >/said || fail "$(cat /said)"
        morgana destroy cycle
    done
}
# The device cannot be had when all else is there; the memory runs out on the way; the name is another's.
failures() {
    for number in $(seq "$1"); do
        for config in unplugged large; do
            ! morgana ask "{\"do\":\"create\",\"config\":\"/guests/$config.cfg\",\"name\":\"cycle\"}" >/said 2>&1 || fail "made: $config"
        done
        ask '{"do":"create","config":"/guests/hello.cfg","name":"cycle"}'
        ! morgana ask '{"do":"create","config":"/guests/hello.cfg","name":"cycle"}' >/said 2>&1 || fail "made twice"
        ask '{"do":"destroy","domain":"cycle"}'
    done
}
all() {
    cycles "$1" hello
    cycles "$2" website
    ahead "$2"
    by_hand "$2"
    failures "$2"
}

sed "s/^vif.*/vif = ['bridge=none']/" website.cfg >unplugged.cfg
sed 's/^memory.*/memory = 4000/' hello.cfg >large.cfg
morgana daemon >/daemon.log 2>&1 &
daemon=$!
until_true '[ -S /run/morgana/socket ]'
echo "== what is there once, and stays"
all 2 1
until_true '! ls /sys/class/net | grep -q "^vif"'
until_true 'in_use >/before; sleep 1; is_back'
cat /before

echo "== again, and again"
all 12 2
(until_true is_back) || fail "something is left, or is missing: $(diff /before /after)"
[ "$(grep -c . /after)" -gt 10 ] || fail "nothing was counted: $(cat /after)"
kill -TERM $daemon
wait $daemon || fail "the daemon ended badly: $(cat /daemon.log)"
echo SUCCESS
