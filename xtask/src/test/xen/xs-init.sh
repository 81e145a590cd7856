#!/usr/bin/busybox sh
# The first process of a Linux domain that uses xs: what it may do there is done, and what it may not is refused with a word for it.
busybox=/usr/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs devtmpfs /dev
check() {
    wanted=$1
    word=$2
    shift 2
    got=0
    said=$(/xs "$@" 2>&1) || got=$?
    case $said in
    *"$word"*) ;;
    *) got="$got without $word" ;;
    esac
    if [ "$got" != "$wanted" ]; then
        echo "FAILURE $got is not $wanted, of $*: $said"
        $busybox poweroff -f
    fi
}
check 0 linux read name
check 0 '' write data/n/m 2 data/n/o 'from a guest'
check 0 'o = "from a guest"' ls data
check 0 '"value":"2"' dump data/n
check 0 '' chmod data/n read:7
check 0 ',r7)' ls -l data/n
check 1 '/local/domain/0/name: permission denied' write /local/domain/0/name guest
check 1 '/none: permission denied' write /none x
check 3 'data/none: not there' read data/none
check 0 '' write data/xs ready
check 0 '' wait --timeout 60 --value go data/flag
check 4 'there were fewer changes' watch -n 1 --timeout 0.2 data/flag
check 0 '' rm data/n
echo SUCCESS
$busybox poweroff -f
