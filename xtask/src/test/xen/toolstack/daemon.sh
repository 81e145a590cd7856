# `morgana daemon` in dom0: domains over its socket, domains that are kept ready, and its end and new beginning. `hello` and `website` are here.
. /shared.sh
[ -e /bin/true ] || ln -s /usr/bin/busybox /bin/true

refused '{"do":"list"}' "is .morgana daemon. running"
has_come_and_gone website

echo "== made, looked at and ended"
begin
! morgana daemon 2>/said || fail "two at a time"
id=$(ask '{"do":"create","config":"/guests/hello.cfg","name":"one","extra":"log=debug"}' | sed 's/[^0-9]//g')
[ "$(xl domid one)" = "$id" ] || fail "xl domid: $(xl list)"
ask '{"do":"stats","domain":"one"}' | grep -q '"name":"one"' || fail "stats"
ask '{"do":"pause","domain":"one"}'
xl list one | grep -q "p" || fail "not paused: $(xl list)"
ask '{"do":"unpause","domain":"one"}'
refused '{"do":"create","config":"/guests/hello.cfg","name":"one"}' "name"
refused '{"do":"create","config":"hello.cfg"}' "not absolute"
refused '{"do":"create","config":"/guests/nothing.cfg"}' "nothing.cfg"
refused '{"do":"destroy","domain":"nobody"}' "nobody: "
refused '{"do":"dance"}' "dance"
refused 'nonsense' "no such request"

echo "== it ends, and the domain goes on"
finish
[ "$(xl domid one)" = "$id" ] || fail "gone: $(xl list)"
begin
ask '{"do":"list"}' | grep -q '"name":"one"' || fail "list"
ask '{"do":"destroy","domain":"one"}'
nothing_is_left

echo "== domains that are kept ready"
ask '{"do":"keep","config":"/guests/website.cfg","count":2}'
until_true "ask '{\"do\":\"kept\"}' | grep -q '\"there\":2'"
ask '{"do":"create","config":"/guests/website.cfg","name":"web"}'
timeout 60 curl -sf --retry 60 --retry-all-errors --retry-delay 1 --max-time 5 http://10.0.2.50/ >/page || fail "no page"
until_true "ask '{\"do\":\"kept\"}' | grep -q '\"there\":2'"
refused '{"do":"keep","config":"/guests/website.cfg","count":1000}' "no more than"
ask '{"do":"keep","config":"/guests/website.cfg","count":0}'
for name in $(xl list | sed -n 's/^\(website.ahead[^ ]*\).*/\1/p') web; do
    ask "{\"do\":\"destroy\",\"domain\":\"$name\"}"
done
until_true '! ls /sys/class/net | grep -q "^vif"'
! xenstore-exists /tool/morgana/ahead 2>/dev/null || fail "nodes of domains that were built ahead are left"
nothing_is_left
finish

echo "== over the network"
printf 0123456789abcdef >/token
chmod 644 /token
network="--listen 127.0.0.1:7070 --token-file /token --guests /guests"
! morgana daemon $network 2>/said || fail "a token that others may read"
grep -q "chmod 600" /said || fail "said: $(cat /said)"
chmod 600 /token
begin $network
url=http://127.0.0.1:7070
until_true "[ \"\$(curl -s $url/healthz)\" = ok ]"
# Posts a request, and prints the status; what is answered is in /said.
posted() {
    curl -s -o /said -w '%{http_code}' -H "Authorization: Bearer ${2:-0123456789abcdef}" --data-binary "$1" $url/ask
}
answered() {
    status=$(posted "$1" "${4:-}")
    [ "$status" = "$2" ] || fail "$1: $status $(cat /said)"
    grep -q "$3" /said || fail "$1: $(cat /said)"
}
answered '{"do":"create","config":"hello.cfg","name":"one","extra":"log=debug"}' 200 '^{"ok":{"domain":[0-9]*}}$'
[ "$(xl domid one)" = "$(sed 's/[^0-9]//g' /said)" ] || fail "xl domid: $(xl list)"
answered '{"do":"create","config":"hello.cfg","name":"one"}' 409 '"kind":"name-in-use"'
answered '{"do":"create","config":"hello.cfg","name":"7"}' 400 '"kind":"bad-request"'
answered '{"do":"create","config":"/guests/hello.cfg","name":"two"}' 400 '"kind":"bad-request"'
answered '{"do":"create","config":"nothing.cfg","name":"two"}' 422 '"kind":"config"'
sed 's/^memory.*/memory = 100000/' hello.cfg >large.cfg
answered '{"do":"create","config":"large.cfg","name":"two"}' 503 '"kind":"out-of-memory"'
rm large.cfg
answered '{"do":"list"}' 200 '"name":"one"'
answered '{"do":"list"}' 401 '"kind":"unauthorized"' 0123456789abcdeF
answered '{"do":"destroy","domain":"nobody"}' 404 '"kind":"no-such-domain"'
answered '{"do":"destroy","domain":"one"}' 200 '{"ok":null}'
nothing_is_left
finish
echo SUCCESS
