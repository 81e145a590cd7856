# Two network namespaces with a veth pair between them, in a user namespace of their own: a stream from one to the other.
#   veth.sh PROGRAM BYTES
set -e
unshare --net sleep 60 2>/dev/null &
other=$!
trap 'kill $other 2>/dev/null' EXIT
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add near type veth peer name far netns $other
ip address add 10.9.0.1/24 dev near
ip link set near up
nsenter --net --target $other ip address add 10.9.0.2/24 dev far
nsenter --net --target $other ip link set far up
nsenter --net --target $other "$1" sink 10.9.0.2:5001 &
"$1" source 10.9.0.2:5001 "$2"
