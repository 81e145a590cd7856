# Uses xs in dom0, by the way to xenstored that the argument names.
set -e
x() {
    /xs --socket "$way" "$@"
}
status() {
    wanted=$1
    shift
    got=0
    said=$(x "$@" 2>&1) || got=$?
    [ "$got" = "$wanted" ] || { echo "FAILURE $got is not $wanted, of $*: $said"; exit 1; }
}
way=$1
x rm -f /tmp/xs /tmp/copy
x write /tmp/xs/a 1 /tmp/xs/b 'two words'
[ "$(x read /tmp/xs/a /tmp/xs/b)" = "1
two words" ]
printf '\377\001' | x write /tmp/xs/binary -
x chmod -r /tmp/xs read:5
x ls -l /tmp/xs | grep -F 'binary = "\xff\x01"  (n0,r5)'
# What goes out comes in again.
x dump /tmp/xs >/xs.json
x load --replace /xs.json /tmp/copy
x dump /tmp/copy | sed s,/tmp/copy,/tmp/xs,g | cmp - /xs.json
# Watches.
x wait --timeout 60 --value go /tmp/xs/flag &
wait=$!
x watch -n 2 --timeout 60 -i /tmp/xs/flag >/xs.watched &
watch=$!
until grep -q gone /xs.watched; do sleep 0.1; done
x write /tmp/xs/flag go
wait $wait
until grep -q go\" /xs.watched; do sleep 0.1; done
x rm /tmp/xs/flag
wait $watch
/xs --socket "$way" view /tmp/xs >/xs.viewed &
view=$!
until grep -q '= /tmp/xs: 4 nodes' /xs.viewed; do sleep 0.1; done
x write /tmp/xs/a 2 /tmp/xs/n/m 3
for line in '~ /tmp/xs/a "1" -> "2"' '+ /tmp/xs/n$' '+ /tmp/xs/n/m = "3"'; do
    until grep -q "$line" /xs.viewed; do sleep 0.1; done
done
kill $view
# What is refused, in either way's own fashion.
status 3 read /tmp/none
status 3 rm /tmp/none
status 2 read /tmp//none
status 1 write /tmp/xs/long "$(printf %4090s x)"
case $way in
*/xenbus) status 1 write /tmp/xs/long "$(printf %4070s x)" ;;
esac
x exists /tmp/xs
# A directory that does not fit in one message. (oxenstored does not list such.)
pairs=$(for i in $(seq 250); do printf '/tmp/xs/many/a-node-of-some-length-%s v ' "$i"; done)
x write $pairs
if ! pidof oxenstored >/dev/null; then
    [ "$(x ls -f /tmp/xs/many | wc -l)" = 251 ]
fi
x rm /tmp/xs /tmp/copy
# All of it, beside what Xen's own tool says.
x ls -f / | sed 1d | sort >/xs.ours
xenstore-ls -f | sed 's/ = ""$//' | sort >/xs.theirs
diff /xs.ours /xs.theirs
x domains | grep '    0  Domain-0'
echo SUCCESS
