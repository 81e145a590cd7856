# A session that is taken up again, by a ticket (RFC 8446 section 4.6.1, RFC 5077). The ticket comes when the server likes: the first connection is held until it is there.
#   resume.sh ADDRESS VERSION
client="openssl s_client -connect $1:443 -servername example.test -CAfile /ca.pem -verify_return_error $2"

# Waits for up to 30 s.
until_true() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || return 1
        sleep 0.1
    done
}

ask() {
    printf 'GET /healthz HTTP/1.1\r\nHost: example.test\r\n\r\n'
}

rm -f /session
: >/first
: >/again
{ ask; until_true grep -q 'HTTP/1.1 200 OK' /first; until_true [ -s /session ]; } | $client -sess_out /session >/first 2>&1
[ -s /session ] || { echo "no ticket"; cat /first; exit 1; }
{ ask; until_true grep -q 'HTTP/1.1 200 OK' /again; } | $client -sess_in /session >/again 2>&1
cat /again
