//! Tables of heads, whole ones and refused ones, and the comparison with another parser.

use super::*;
use proptest::prelude::*;
use std::borrow::ToOwned;
use std::format;
use std::string::String;
use std::vec::Vec;

const LIMITS: HeadLimits = HeadLimits {
    head: 8192,
    target: 64,
    headers: 4,
};

fn error(head: &str) -> Option<HeadError> {
    Request::parse(&mut head.as_bytes().to_owned(), &LIMITS).err()
}

/// A head of HTTP/1.1 with a host and these further lines.
fn get_with(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

#[test]
fn a_whole_head_is_understood() {
    let mut head =
        b"POST /a/../b%20c?x=%20|y HTTP/1.1\r\nhOST: example.org:8080\r\nContent-Length: 12\r\n\
        Connection: x, Close\r\nExpect: 100-Continue\r\n\r\n"
            .to_vec();
    let request = Request::parse(&mut head, &LIMITS).expect("well-formed");
    assert_eq!(request.method(), Method::Post);
    assert_eq!((request.path(), request.query()), ("/b c", Some("x=%20|y")));
    assert_eq!(
        (request.version(), request.host()),
        (Version::Http11, "example.org:8080")
    );
    assert_eq!(
        (request.framing(), request.persistence()),
        (Framing::Length(12), Persistence::Close)
    );
    assert_eq!(request.expectation(), Expectation::Continue);
    assert_eq!(request.headers().first("content-length"), Some(&b"12"[..]));
}

#[test]
fn request_lines_are_strict() {
    for (line, expected) in [
        ("GET / HTTP/1.1", None),
        ("GET / HTTP/1.0", None),
        ("GET / HTTP/1.9", None),
        ("GET /a?b?c/../d HTTP/1.1", None),
        ("OPTIONS * HTTP/1.1", None),
        ("GET http://b HTTP/1.1", None),
        ("GET HTTPS://b:80/x HTTP/1.1", None),
        ("GET / HTTP/2.0", Some(HeadError::Version)),
        ("GET / HTTP/0.9", Some(HeadError::Version)),
        ("PRI * HTTP/2.0", Some(HeadError::Version)),
        ("GET /", Some(HeadError::RequestLine)),
        ("GET", Some(HeadError::RequestLine)),
        ("GET  / HTTP/1.1", Some(HeadError::RequestLine)),
        ("GET /  HTTP/1.1", Some(HeadError::RequestLine)),
        ("GET / HTTP/1.1 ", Some(HeadError::RequestLine)),
        (" GET / HTTP/1.1", Some(HeadError::RequestLine)),
        ("GET\t/\tHTTP/1.1", Some(HeadError::RequestLine)),
        ("GET / http/1.1", Some(HeadError::RequestLine)),
        ("GET / HTTP/1.10", Some(HeadError::RequestLine)),
        ("GET / HTTP/11", Some(HeadError::RequestLine)),
        ("GET / HTTP/+1.1", Some(HeadError::RequestLine)),
        ("GET / HTTP/1.1\t", Some(HeadError::RequestLine)),
        ("G(T / HTTP/1.1", Some(HeadError::RequestLine)),
        ("GET /\u{e9} HTTP/1.1", Some(HeadError::RequestLine)),
        ("GET /a#b HTTP/1.1", Some(HeadError::RequestLine)),
        ("get / HTTP/1.1", Some(HeadError::Method)),
        ("BREW / HTTP/1.1", Some(HeadError::Method)),
        ("TRACE / HTTP/1.1", Some(HeadError::Method)),
        ("CONNECT a:80 HTTP/1.1", Some(HeadError::Method)),
        ("GET * HTTP/1.1", Some(HeadError::Target)),
        ("GET a HTTP/1.1", Some(HeadError::Target)),
        ("GET ?a HTTP/1.1", Some(HeadError::Target)),
        ("GET http:///x HTTP/1.1", Some(HeadError::Target)),
        ("GET http://u@h/ HTTP/1.1", Some(HeadError::Target)),
        ("GET ftp://h/ HTTP/1.1", Some(HeadError::Target)),
        ("GET /%2f HTTP/1.1", Some(HeadError::Target)),
        ("GET /%zz HTTP/1.1", Some(HeadError::Target)),
    ] {
        assert_eq!(
            error(&format!("{line}\r\nHost: a\r\n\r\n")),
            expected,
            "{line}"
        );
    }
    let exact = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(63));
    assert_eq!(error(&exact), None);
    assert_eq!(
        error(&exact.replace("/a", "/aa")),
        Some(HeadError::TargetTooLong)
    );
}

#[test]
fn absolute_targets_bring_their_host() {
    let mut head = b"GET http://b:81?q HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
    let request = Request::parse(&mut head, &LIMITS).expect("well-formed");
    assert_eq!(
        (request.host(), request.path(), request.query()),
        ("b:81", "/", Some("q"))
    );
}

#[test]
fn fields_are_strict() {
    for (lines, expected) in [
        ("A:\r\n", None),
        ("A: b\tc \r\n", None),
        ("A: \u{e9}\r\n", None),
        (" A: b\r\n", Some(HeadError::Folded)),
        ("A: b\r\n c\r\n", Some(HeadError::Folded)),
        ("A: b\r\n\tc\r\n", Some(HeadError::Folded)),
        ("A : b\r\n", Some(HeadError::HeaderName)),
        ("A\t: b\r\n", Some(HeadError::HeaderName)),
        (": b\r\n", Some(HeadError::HeaderName)),
        ("A\r\n", Some(HeadError::HeaderName)),
        ("A(: b\r\n", Some(HeadError::HeaderName)),
        ("\u{e9}: b\r\n", Some(HeadError::HeaderName)),
        ("A: \0\r\n", Some(HeadError::HeaderValue)),
        ("A: \x0b\r\n", Some(HeadError::HeaderValue)),
        ("A: \x7f\r\n", Some(HeadError::HeaderValue)),
        ("A: b\rc\r\n", Some(HeadError::HeaderValue)),
        ("A: b\n", Some(HeadError::BareLineFeed)),
        ("A: 1\r\nB: 2\r\nC: 3\r\n", None),
        (
            "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n",
            Some(HeadError::TooManyHeaders),
        ),
        ("Expect: 100-continue\r\n", None),
        ("Expect: magic\r\n", Some(HeadError::Expectation)),
        (
            "Expect: 100-continue\r\nExpect: magic\r\n",
            Some(HeadError::Expectation),
        ),
        (
            "Expect: magic\r\nExpect: 100-continue\r\n",
            Some(HeadError::Expectation),
        ),
    ] {
        assert_eq!(error(&get_with(lines)), expected, "{lines:?}");
    }
    for unfinished in [
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\n",
        "",
        "\r\n\r\n",
    ] {
        assert!(error(unfinished).is_some(), "{unfinished:?}");
    }
}

#[test]
fn the_host_is_named_once() {
    for (lines, expected) in [
        ("Host: a", None),
        ("Host:", None),
        ("Host: a.b-c_d:80", None),
        ("Host: [::1]:80", None),
        ("Host: 10.0.0.1", None),
        ("Host: a:", None),
        ("X: a", Some(HeadError::HostMissing)),
        ("Host: a\r\nhost: a", Some(HeadError::HostRepeated)),
        ("Host: a, b", Some(HeadError::Host)),
        ("Host: a b", Some(HeadError::Host)),
        ("Host: a/b", Some(HeadError::Host)),
        ("Host: u@a", Some(HeadError::Host)),
        ("Host: a:b", Some(HeadError::Host)),
        ("Host: a:80:80", Some(HeadError::Host)),
        ("Host: ::1", Some(HeadError::Host)),
        ("Host: [::1", Some(HeadError::Host)),
        ("Host: []", Some(HeadError::Host)),
        ("Host: a[", Some(HeadError::Host)),
        ("Host: :80", Some(HeadError::Host)),
        ("Host: \u{e9}", Some(HeadError::Host)),
    ] {
        assert_eq!(
            error(&format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n")),
            expected,
            "{lines}"
        );
    }
    assert_eq!(error("GET / HTTP/1.0\r\n\r\n"), None);
    assert_eq!(
        error("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        Some(HeadError::HostRepeated)
    );
}

#[test]
fn smuggled_framings_are_refused() {
    use HeadError::{
        BothFramings, ContentLength, ContentTooLarge, TransferCoding, TransferEncoding,
    };
    for (lines, expected) in [
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            BothFramings,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            BothFramings,
        ),
        (
            "Transfer-Encoding: identity\r\nContent-Length: 5",
            BothFramings,
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            BothFramings,
        ),
        ("Content-Length: 5\r\nContent-Length: 5", ContentLength),
        ("Content-Length: 5\r\ncontent-length: 6", ContentLength),
        ("Content-Length: 5, 5", ContentLength),
        ("Content-Length: +5", ContentLength),
        ("Content-Length: -5", ContentLength),
        ("Content-Length: 5 5", ContentLength),
        ("Content-Length: 0x5", ContentLength),
        ("Content-Length: 5;", ContentLength),
        ("Content-Length:", ContentLength),
        ("Content-Length: \u{661}", ContentLength),
        ("Content-Length: 18446744073709551616", ContentTooLarge),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            TransferEncoding,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            TransferEncoding,
        ),
        ("Transfer-Encoding: chunked, chunked", TransferEncoding),
        ("Transfer-Encoding: chunked, identity", TransferEncoding),
        ("Transfer-Encoding:", TransferEncoding),
        ("Transfer-Encoding: ,", TransferEncoding),
        ("Transfer-Encoding: ,chunked", TransferCoding),
        ("Transfer-Encoding: chunked,", TransferCoding),
        ("Transfer-Encoding: xchunked", TransferCoding),
        ("Transfer-Encoding: \"chunked\"", TransferCoding),
        ("Transfer-Encoding: chunked;q=1", TransferCoding),
        ("Transfer-Encoding: identity", TransferCoding),
        ("Transfer-Encoding: gzip, chunked", TransferCoding),
        ("Transfer-Encoding : chunked", HeadError::HeaderName),
        ("Transfer-Encoding\t: chunked", HeadError::HeaderName),
        ("Transfer-Encoding:\x0bchunked", HeadError::HeaderValue),
        ("X: y\r\n Transfer-Encoding: chunked", HeadError::Folded),
        ("X: y\nTransfer-Encoding: chunked", HeadError::BareLineFeed),
        ("Transfer_Encoding\0: chunked", HeadError::HeaderName),
    ] {
        assert_eq!(
            error(&get_with(&format!("{lines}\r\n"))),
            Some(expected),
            "{lines:?}"
        );
    }
    assert_eq!(
        error("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Some(TransferEncoding)
    );
    for (lines, framing) in [
        ("Transfer-Encoding: CHUNKED\r\n", Framing::Chunked),
        ("Content-Length: 007\r\n", Framing::Length(7)),
        ("Content-Length: 0\r\n", Framing::Empty),
        ("", Framing::Empty),
    ] {
        let mut head = get_with(lines).into_bytes();
        assert_eq!(
            Request::parse(&mut head, &LIMITS).map(|request| request.framing()),
            Ok(framing)
        );
    }
}

#[test]
fn connections_persist_by_version_and_option() {
    use Persistence::{Close, KeepAlive};
    for (version, lines, expected) in [
        ("1.1", "", KeepAlive),
        ("1.1", "Connection: close\r\n", Close),
        ("1.1", "Connection: a, CLOSE ,b\r\n", Close),
        (
            "1.1",
            "Connection: keep-alive\r\nConnection: close\r\n",
            Close,
        ),
        ("1.1", "Connection: closed\r\n", KeepAlive),
        ("1.0", "", Close),
        ("1.0", "Connection: Keep-Alive\r\n", KeepAlive),
        ("1.0", "Connection: keep-alive, close\r\n", Close),
    ] {
        let mut head = format!("GET / HTTP/{version}\r\nHost: a\r\n{lines}\r\n").into_bytes();
        assert_eq!(
            Request::parse(&mut head, &LIMITS).map(|request| request.persistence()),
            Ok(expected),
            "{lines}"
        );
    }
}

/// The heads that another parser, httparse, takes; ours may take fewer, never more, and must see the same in them.
fn agrees_with_httparse(head: &[u8]) -> Result<(), TestCaseError> {
    let limits = HeadLimits {
        head: 8192,
        target: 8192,
        headers: 64,
    };
    let mut bytes = head.to_owned();
    if let Ok(ours) = Request::parse(&mut bytes, &limits) {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut theirs = httparse::Request::new(&mut fields);
        match theirs.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            // Minor versions over 1 are ours alone.
            Err(httparse::Error::Version) => {
                let text = String::from_utf8_lossy(head);
                let newer = (2..=9).any(|minor| text.contains(&format!("HTTP/1.{minor}")));
                prop_assert!(newer, "{}", text);
                return Ok(());
            }
            other => prop_assert!(false, "{:?}", other),
        }
        prop_assert_eq!(theirs.method, Some(ours.method().name()));
        let seen: Vec<_> = ours.headers().iter().collect();
        let expected: Vec<_> = theirs
            .headers
            .iter()
            .map(|field| (field.name.as_bytes(), trim(field.value)))
            .collect();
        prop_assert_eq!(seen, expected);
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_emitted_is_parsed_back(
        method in proptest::sample::select(&Method::ALL[..]),
        path in "(/[a-z0-9~!$&'()*+,;=:@_-]{1,8}){1,3}",
        query in proptest::option::of("[a-z0-9=&%|{}]{0,12}"),
        fields in proptest::collection::vec(("X-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}", "([!-~]([ -~\t]{0,10}[!-~])?)?"), 0..3),
    ) {
        let target = match &query { Some(query) => format!("{path}?{query}"), None => path.clone() };
        let mut head = format!("{} {target} HTTP/1.1\r\nHost: h\r\n", method.name());
        for (name, value) in &fields {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        agrees_with_httparse(head.as_bytes())?;
        let mut bytes = head.into_bytes();
        let request = Request::parse(&mut bytes, &LIMITS).map_err(|error| TestCaseError::fail(format!("{error}")))?;
        prop_assert_eq!(request.method(), method);
        prop_assert_eq!(request.path(), path);
        prop_assert_eq!(request.query(), query.as_deref());
        let seen: Vec<_> = request.headers().iter().skip(1).collect();
        let expected: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn any_bytes_are_safe(head in proptest::collection::vec(any::<u8>(), 0..200)) {
        agrees_with_httparse(&head)?;
    }

    #[test]
    fn a_changed_byte_is_safe(at in 0usize..70, byte in any::<u8>()) {
        let mut head = b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nIf-Range: \"x\"\r\nA: b\r\n\r\n".to_vec();
        head[at] = byte;
        agrees_with_httparse(&head)?;
    }
}
