# What the scripts of the toolstack's tests share.
set -eu

fail() {
    echo "FAILURE: $*"
    exit 1
}
# Whatever comes to be true within a while.
until_true() {
    end=$(($(date +%s) + 30))
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
# Notes what there is, when no domain but dom0 is there, nor is on its way out.
note_what_is_there() {
    until_true '[ "$(xl list | wc -l)" = 2 ]'
    memory=$(free_memory)
    nodes >/nodes
}
# Nothing is left of the domains that there were since.
nothing_is_left() {
    until_true '[ "$(xl list | wc -l)" = 2 ]'
    [ "$(free_memory)" -ge "$memory" ] || fail "memory is missing: $(free_memory) MiB of $memory"
    nodes | diff /nodes - || fail "nodes are left"
}
