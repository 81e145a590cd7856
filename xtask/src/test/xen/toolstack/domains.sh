# What `morgana create` and its kin do, in dom0, as Xen's own tools see it. The image and the configuration of `hello` are here.
. /shared.sh
log=/var/log/xen/console/guest-hello.log

has_come_and_gone hello
rm -f $log

echo "== a domain runs, and xl understands it"
id=$(morgana create hello.cfg)
until_true "grep -q 'Hello from a domain' $log"
xl list hello | grep -q "^hello *$id " || fail "xl list: $(xl list)"
[ "$(xl domid hello)" = "$id" ] || fail "xl domid"
[ "$(xl domname "$id")" = hello ] || fail "xl domname"
morgana list | grep -q "^hello *$id " || fail "morgana list: $(morgana list)"
morgana stats hello | grep -q '"name":"hello".*"state":"\(blocked\|running\|runnable\)"' || fail "stats: $(morgana stats)"
xl console hello >/console </dev/null &
console=$!
until_true "grep -q 'Hello from a domain' /console"
kill $console 2>/dev/null || true

echo "== the console: what is typed reaches the domain, what it says is shown, and one program has it at a time"
mkfifo /typed
morgana create --console guest-console-0.cfg </typed >/console &
console=$!
exec 3>/typed
echo ping >&3
until_true "grep -q ping /console"
! morgana console guest-console-0 </dev/null 2>/said || fail "two at a time"
grep -q "somebody else has the console" /said || fail "said: $(cat /said)"
! xl console guest-console-0 </dev/null >/dev/null 2>&1 || fail "xl's and ours at a time"
echo end >&3
wait $console || fail "the domain's end is no failure"
[ "$(cat /console)" = ping ] || fail "console: $(cat /console)"
exec 3>&-
morgana destroy guest-console-0
morgana create guest-console-0.cfg
morgana console guest-console-0 </dev/null &
console=$!
until_true "ls /var/lock/xenconsole.*"
morgana destroy guest-console-0
wait $console || fail "that somebody ends the domain is no failure"
! ls /var/lock/xenconsole.* 2>/dev/null || fail "the lock stays"
! morgana console guest-console-0 2>/said || fail "the console of no domain"

echo "== a name in use, and other mistakes"
! morgana create hello.cfg 2>/said || fail "made twice"
grep -q "number $id" /said || fail "said: $(cat /said)"
sed 's/^memory.*/memory = 1/' hello.cfg >small.cfg
! morgana create --name small small.cfg 2>/said || fail "made with too little memory"
grep -q "MiB of memory at least" /said || fail "said: $(cat /said)"
sed 's/^memory.*/memory = 100000/' hello.cfg >large.cfg
! morgana create --name large large.cfg 2>/said || fail "made with too much memory"
grep -q "not enough free memory" /said || fail "said: $(cat /said)"
echo 'colour = "red"' | cat hello.cfg - >odd.cfg
! morgana create --name odd odd.cfg 2>/said || fail "made with an unknown key"
grep -q "colour: the key is not known" /said || fail "said: $(cat /said)"
head -c 3000 hello.xen >torn.xen
sed 's/hello.xen/torn.xen/' hello.cfg >torn.cfg
! morgana create --name torn torn.cfg 2>/said || fail "made of a torn image"
grep -q "at byte 0x" /said || fail "said: $(cat /said)"

echo "== pause and unpause"
morgana pause hello
xl list hello | grep -q -- '[r-][b-]p---' || fail "not paused: $(xl list)"
morgana list | grep '^hello ' | grep -q paused || fail "not paused: $(morgana list)"
xl unpause hello
! xl list hello | grep -q -- '[r-][b-]p---' || fail "still paused: $(xl list)"

echo "== xl ends it"
xl destroy hello
! xl domid hello 2>/dev/null || fail "still there"
nothing_is_left

echo "== ours ends it, and xl's"
morgana create --name ours hello.cfg >/dev/null
xl create -q 'name="xls"' hello.cfg
morgana destroy ours
morgana destroy xls
! morgana destroy xls 2>/dev/null || fail "ended twice"
nothing_is_left

echo "== an image that is packed"
gzip -c hello.xen >/packed.gz
sed "s#^kernel.*#kernel = '/packed.gz'#" hello.cfg >packed.cfg
for tool in morgana xl; do
    rm -f $log
    $tool create packed.cfg >/dev/null
    until_true "grep -q 'Hello from a domain' $log"
    $tool destroy hello
done
nothing_is_left

echo "== one that was built ahead"
ahead=$(morgana prepare hello.cfg)
xl list | grep -q "^hello.ahead.* $ahead .*p" || fail "not there: $(xl list)"
rm -f $log
id=$(morgana create --ahead --name quick hello.cfg)
[ "$id" = "$ahead" ] || fail "$id is not $ahead"
[ "$(xl domid quick)" = "$id" ] || fail "xl domid: $(xl list)"
until_true "morgana stats quick | grep -q blocked"
id=$(morgana create --ahead --name built hello.cfg)
[ "$id" != "$ahead" ] || fail "taken twice"
morgana destroy quick
morgana destroy built
nothing_is_left

echo "== a shutdown is waited for"
rm -f $log
morgana create --wait hello.cfg >/id &
wait=$!
until_true "grep -q 'Hello from a domain' $log"
morgana shutdown hello
wait $wait || fail "create --wait"
! xl domid hello 2>/dev/null || fail "still there"
nothing_is_left
echo SUCCESS
