# Services that `morgana daemon` keeps running, in dom0: they come back, whatever ends them, and also when the daemon was killed. `hello`, `website` and `guest-disk` are here.
. /shared.sh
[ -e /bin/true ] || ln -s /usr/bin/busybox /bin/true
state=/var/lib/morgana/daemon.json

# What is told of a service: `one NAME KEY`.
one() {
    ask '{"do":"services"}' | tr '{' '\n' | grep "\"name\":\"$1\"" | sed "s/.*\"$2\":\"*\([^,\"}]*\).*/\1/"
}
# Another domain than the one of this number runs as the service, and nobody finds that by its name, though something of it may be left.
comes_back() {
    until_true "[ \"\$(one $1 state)\" = running ] && [ \"\$(one $1 domain)\" != $2 ]"
    [ "$(xl domid "$1")" = "$(one "$1" domain)" ] || fail "xl domid: $(xl list)"
    ! xl domname "$2" 2>/dev/null || fail "still there: $(xl list)"
    [ "$(xl list | grep -c "^$1 ")" = 1 ] || fail "two of a name: $(xl list)"
}
# The page is there, at once: whoever asks has not to wait for an old address to be forgotten.
has_page() {
    until_true 'curl -sf --max-time 1 http://10.0.2.50/ >/page'
}

has_come_and_gone website

echo "== whatever ends it"
begin
ask '{"do":"run","config":"/guests/website.cfg","name":"web"}'
ask '{"do":"run","config":"/guests/website.cfg","name":"web"}'
refused '{"do":"run","config":"/guests/hello.cfg","name":"web"}' "web: another service"
refused '{"do":"create","config":"/guests/hello.cfg","name":"web"}' "web: a service"
refused '{"do":"run","config":"/guests/nothing.cfg"}' "nothing.cfg"
until_true '[ "$(one web state)" = running ]'
has_page
# One is there for the next start.
until_true 'xl list | grep -q "^website.ahead"'
ahead=$(xl list | sed -n 's/^website.ahead[^ ]* *\([0-9]*\) .*/\1/p')
id=$(one web domain)
xl destroy web
comes_back web "$id"
[ "$(one web domain)" = "$ahead" ] || fail "not the one that was built ahead"
[ "$(one web reason)" = gone ] || fail "reason: $(ask '{"do":"services"}')"
mac=$(xenstore-read "/local/domain/$ahead/device/vif/0/mac")
# Nobody in dom0 has asked: the domain says so itself.
until_true "grep '^10.0.2.50 ' /proc/net/arp | grep -q $mac"
has_page
id=$(one web domain)
ask '{"do":"destroy","domain":"web"}'
comes_back web "$id"
[ "$(one web restarts)" = 2 ] || fail "restarts: $(ask '{"do":"services"}')"
has_page
# When the configuration changes, what was built ahead goes, too.
until_true 'xl list | grep -q "^website.ahead"'
ahead=$(xl list | sed -n 's/^website.ahead[^ ]* *\([0-9]*\) .*/\1/p')
echo '# Another one.' >>website.cfg
id=$(one web domain)
xl destroy web
comes_back web "$id"
[ "$(one web domain)" != "$ahead" ] || fail "what was built of the old configuration"
until_true "! xl domname $ahead 2>/dev/null && xl list | grep -q '^website.ahead'"

echo "== one that crashes again and again"
sed 's/seconds=600/seconds=nonsense/' hello.cfg >crash.cfg
ask '{"do":"run","config":"/guests/crash.cfg","name":"crash"}'
until_true '[ "$(one crash restarts)" -ge 2 ]'
[ "$(one crash reason)" = crashed ] || fail "reason: $(ask '{"do":"services"}')"
ask '{"do":"halt","name":"crash"}'
refused '{"do":"halt","name":"crash"}' "crash: no service"

echo "== one that ends by itself"
sed 's/seconds=600/seconds=0/' hello.cfg >short.cfg
ask '{"do":"run","config":"/guests/short.cfg","name":"short"}'
until_true '[ "$(one short restarts)" -ge 2 ]'
[ "$(one short reason)" = off ] || fail "reason: $(ask '{"do":"services"}')"
ask '{"do":"halt","name":"short"}'

echo "== the daemon is killed"
ask '{"do":"run","config":"/guests/hello.cfg"}'
until_true '[ "$(one hello state)" = running ]'
ids="$(one web domain) $(one hello domain)"
kill -KILL $daemon
wait $daemon || true
[ "$(xl domid web) $(xl domid hello)" = "$ids" ] || fail "gone: $(xl list)"
begin
until_true '[ "$(one web state) $(one hello state)" = "running running" ]'
[ "$(one web domain) $(one hello domain)" = "$ids" ] || fail "not the same: $(xl list)"
[ "$(one web restarts) $(one hello restarts)" = "0 0" ] || fail "restarts: $(ask '{"do":"services"}')"
id=$(one hello domain)
xl destroy hello
comes_back hello "$id"
# What ends meanwhile is made anew at the next beginning.
id=$(one hello domain)
kill -KILL $daemon
wait $daemon || true
xl destroy hello
begin
comes_back hello "$id"

echo "== the daemon is killed while it makes domains"
# One that it had begun with, one of another daemon's, and one that nobody has noted.
for name in begun others nobodys; do xl create -p -q hello.cfg "name='$name'"; done
note() {
    uuid=$(xenstore-read "/local/domain/$(xl domid "$1")/vm")
    xenstore-write "/tool/morgana/unfinished/${uuid#/vm/}" "$2"
}
kill -KILL $daemon
wait $daemon || true
note begun $state
note others /var/lib/another.json
# Of one that runs a note says nothing.
note hello $state
begun=$(xl domid begun) id=$(xl domid hello)
xenstore-rm "/local/domain/$begun/name"
begin
until_true "! xl list | grep -q ' $begun  '"
[ "$(xl list | grep -c '^others \|^nobodys ')" = 2 ] || fail "not its own: $(xl list)"
[ "$(xenstore-list /tool/morgana/unfinished | wc -l)" = 1 ] || fail "notes: $(xenstore-ls -f /tool/morgana)"
[ "$(one hello domain)" = "$id" ] || fail "not the same: $(xl list)"
xl destroy others
xl destroy nobodys
xenstore-rm /tool/morgana/unfinished
# Whenever it is killed.
ask '{"do":"keep","config":"/guests/hello.cfg","count":3}'
for pause in 0.05 0.1 0.2 0.4; do
    sleep $pause
    kill -KILL $daemon
    wait $daemon || true
    begin
done
until_true "ask '{\"do\":\"kept\"}' | grep -q '\"there\":3'"
until_true '! xl list | grep -q "^(null)"'
ask '{"do":"keep","config":"/guests/hello.cfg","count":0}'

echo "== a disk has one user at a time"
ask '{"do":"run","config":"/guests/guest-disk.cfg"}'
until_true '[ "$(one guest-disk restarts)" -ge 1 ]'
[ "$(one guest-disk reason)" = off ] || fail "reason: $(ask '{"do":"services"}')"
# The next one waits, without the disk.
waits_without_disk() {
    waiting=$(xl list | sed -n 's/^guest-disk.ahead[^ ]* *\([0-9]*\) .*/\1/p')
    [ -n "$waiting" ] && ! xenstore-exists "/local/domain/0/backend/vbd/$waiting"
}
until_true waits_without_disk
restarts=$(one guest-disk restarts)
until_true '[ "$(one guest-disk restarts)" -gt "$restarts" ]'
ask '{"do":"halt","name":"guest-disk"}'
! grep -q FAILURE /var/log/xen/console/guest-guest-disk.log || fail "disk: $(cat /var/log/xen/console/guest-guest-disk.log)"
# Somebody else has it.
sed 's/do=check/do=keep/' guest-disk.cfg >other.cfg
xl create -q other.cfg 'name="other"'
ask '{"do":"run","config":"/guests/guest-disk.cfg"}'
until_true 'ask "{\"do\":\"services\"}" | grep -q "has a disk of it"'
xl destroy other
until_true '[ "$(one guest-disk restarts)" -ge 1 ] || [ "$(one guest-disk state)" = running ]'
ask '{"do":"halt","name":"guest-disk"}'

echo "== their end"
ask '{"do":"halt","name":"hello"}'
ask '{"do":"halt","name":"web"}'
[ "$(ask '{"do":"services"}')" = "[]" ] || fail "services: $(ask '{"do":"services"}')"
nothing_is_left
finish

echo "== a file that makes no sense"
begin --run /guests/hello.cfg
until_true '[ "$(one hello state)" = running ]'
id=$(one hello domain)
kill -KILL $daemon
wait $daemon || true
head -c 20 $state >/torn
cp /torn $state
begin
grep -q "daemon.json.broken: what is to be kept running is not known" /daemon.log || fail "daemon: $(cat /daemon.log)"
diff /torn $state.broken || fail "the broken file"
[ "$(ask '{"do":"services"}')" = "[]" ] || fail "services: $(ask '{"do":"services"}')"
[ "$(xl domid hello)" = "$id" ] || fail "gone: $(xl list)"
ask '{"do":"run","config":"/guests/hello.cfg"}'
until_true "[ \"\$(one hello domain)\" = $id ]"
ask '{"do":"halt","name":"hello"}'
nothing_is_left
finish
echo SUCCESS
