# What the scripts of the toolstack's tests share.
set -eu

fail() {
    echo "FAILURE: $*"
    exit 1
}
# Whatever comes to be true within a while.
until_true() {
    end=$(($(date +%s) + 120))
    until eval "$1"; do
        [ "$(date +%s)" -lt $end ] || fail "never: $1"
        sleep 0.1
    done
}
free_memory() {
    xl info | sed -n 's/^free_memory *: //p'
}
nodes() {
    for root in /local/domain /vm /libxl; do xenstore-ls -f $root; done | sort
}
# A domain of xl's has come and gone: what its tools leave behind is there from then on, and noted.
has_come_and_gone() {
    xl create -q "$1.cfg"
    first=$(xl domid "$1")
    xl destroy "$1"
    until_true "[ ! -e /sys/class/net/vif$first.0 ] && ! nodes | grep -q '/$first[/ ]'"
    note_what_is_there
}
# Notes what there is, when no domain but dom0 is there, nor is on its way out.
note_what_is_there() {
    until_true '[ "$(xl list | wc -l)" = 2 ]'
    memory=$(free_memory)
    nodes >/nodes
}
# Nothing is left of the domains that there were since.
nothing_is_left() {
    until_true '[ "$(xl list | wc -l)" = 2 ]'
    until_true '[ "$(free_memory)" -ge "$memory" ]'
    nodes | diff /nodes - || fail "nodes are left"
}

# Of the daemon.
ask() {
    morgana ask "$1"
}
refused() {
    ! morgana ask "$1" 2>/said || fail "done: $1"
    grep -q "$2" /said || fail "said: $(cat /said)"
}
begin() {
    morgana daemon "$@" >/daemon.log 2>&1 &
    daemon=$!
    # The socket of one that was killed is there, too.
    until_true 'morgana ask "{\"do\":\"services\"}" >/dev/null 2>&1'
}
finish() {
    kill -TERM $daemon
    wait $daemon || fail "the daemon ended badly: $(cat /daemon.log)"
}
