//! Made-up conversations, cut anywhere.

use proptest::prelude::*;

use crate::check::check;

/// Pieces of requests, right and wrong, that make interesting streams when joined at random.
const PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "HEAD /a/../ HTTP/1.1\r\n",
    "POST /echo HTTP/1.1\r\n",
    "PUT /half HTTP/1.1\r\n",
    "POST /ignore HTTP/1.0\r\n",
    "OPTIONS * HTTP/1.1\r\n",
    "GET http://b/?q HTTP/1.1\r\n",
    "Host: a\r\n",
    "Host: a\r\n\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 5\r\n\r\nabcde",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "Expect: 100-continue\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Range: bytes=2-4\r\n",
    "If-None-Match: \"v1\"\r\n",
    "3\r\nabc\r\n",
    "a;x\r\n0123456789\r\n",
    "0\r\n\r\n",
    "0\r\nT: v\r\n\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    ":",
    "\0",
];

proptest! {
    #[test]
    fn any_split_gives_the_same_answers(
        control in any::<u8>(),
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..16),
    ) {
        let mut input = vec![control];
        input.extend(pieces.concat().bytes());
        check(&input);
    }

    #[test]
    fn any_bytes_are_answered_or_closed(input in proptest::collection::vec(any::<u8>(), 0..300)) {
        check(&input);
    }
}
