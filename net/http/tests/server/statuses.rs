//! Every status that the server gives by itself, and the ordinary life of a connection.

use morgana_http::wire::HeadError;
use morgana_http::{BodyError, End, Limits, Method};

use crate::app::{App, BIG, PAGE};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// The status code of the first answer to `request`, and why the connection ended.
fn status(request: &str) -> (String, Option<End>) {
    let mut rig = App::rig(Limits {
        target: 100,
        headers: 8,
        head: 2000,
        body: 100,
        ..Limits::DEFAULT
    });
    let client = rig.connect();
    client.send(request);
    client.close();
    rig.settle();
    let text = client.text();
    let code = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .unwrap_or("none")
        .into();
    (code, client.end())
}

#[test]
fn each_fault_has_its_status() {
    let long = |length: usize| "x".repeat(length);
    let get = |lines: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let post = |lines: &str| format!("POST /echo HTTP/1.1\r\nHost: a\r\n{lines}");
    for (request, code, end) in [
        (get(""), "200", End::ClosedByClient),
        (get("Range: bytes=0-1\r\n"), "206", End::ClosedByClient),
        (get("Range: bytes=99-\r\n"), "416", End::ClosedByClient),
        (get("If-None-Match: \"v1\"\r\n"), "304", End::ClosedByClient),
        (
            get("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
            "304",
            End::ClosedByClient,
        ),
        (get("If-Match: \"v2\"\r\n"), "412", End::ClosedByClient),
        (
            "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            "204",
            End::ClosedByClient,
        ),
        (
            "GET /none HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            "404",
            End::ClosedByClient,
        ),
        (
            "GET /split HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            "500",
            End::ClosedByClient,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            "405",
            End::ClosedByClient,
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            "204",
            End::ClosedByClient,
        ),
        ("GET / HTTP/1.0\r\n\r\n".into(), "200", End::Finished),
        (get("Connection: close\r\n"), "200", End::Finished),
        (
            "GET /\r\n\r\n".into(),
            "400",
            End::BadHead(HeadError::RequestLine),
        ),
        (
            "GET / HTTP/1.1\r\n\r\n".into(),
            "400",
            End::BadHead(HeadError::HostMissing),
        ),
        (
            "GET / HTTP/1.1\n".into(),
            "400",
            End::BadHead(HeadError::BareLineFeed),
        ),
        (
            "\x16\x03\x01\x02\x00\x01".into(),
            "400",
            End::BadHead(HeadError::ControlByte),
        ),
        (
            post("Transfer-Encoding: chunked\r\n\r\nx\r\n"),
            "400",
            End::BadBody(BodyError::Malformed),
        ),
        (
            post("Content-Length: 101\r\n\r\n"),
            "413",
            End::BadHead(HeadError::ContentTooLarge),
        ),
        (
            post("Transfer-Encoding: chunked\r\n\r\n65\r\n"),
            "413",
            End::BadBody(BodyError::TooLarge),
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(100)),
            "414",
            End::BadHead(HeadError::TargetTooLong),
        ),
        (
            format!("GET /{}", long(2000)),
            "414",
            End::BadHead(HeadError::TargetTooLong),
        ),
        (
            get("Expect: tea\r\n"),
            "417",
            End::BadHead(HeadError::Expectation),
        ),
        (
            get(&format!("A: {}\r\n", long(2000))),
            "431",
            End::BadHead(HeadError::HeadTooLong),
        ),
        (
            get(&"A: b\r\n".repeat(8)),
            "431",
            End::BadHead(HeadError::TooManyHeaders),
        ),
        (
            get("").replace("GET", "BREW"),
            "501",
            End::BadHead(HeadError::Method),
        ),
        (
            post("Transfer-Encoding: gzip\r\n\r\n"),
            "501",
            End::BadHead(HeadError::TransferCoding),
        ),
        (
            get("").replace("1.1", "2.0"),
            "505",
            End::BadHead(HeadError::Version),
        ),
        (
            post("Content-Length: 5\r\n\r\nabc"),
            "none",
            End::BadBody(BodyError::CutOff),
        ),
        ("GET / HT".into(), "none", End::CutOff),
        ("".into(), "none", End::ClosedByClient),
    ] {
        assert_eq!(status(&request), (code.into(), Some(end)), "{request:.60}");
    }
}

#[test]
fn a_refusal_says_that_it_closes() {
    let text = App::rig(Limits::DEFAULT).answer("GET / HTTP/1.1\r\n\r\n");
    assert_eq!(
        text,
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 15\r\nConnection: close\r\n\r\n\
         400 Bad Request"
    );
}

#[test]
fn a_refusal_of_head_has_no_content() {
    let head = App::rig(Limits::DEFAULT).answer("\r\nHEAD / HTTP/1.1\r\n\r\n");
    assert!(
        head.ends_with("Content-Length: 15\r\nConnection: close\r\n\r\n"),
        "{head}"
    );
    // Refused before its method is read: then what may follow must not matter.
    let unknown = App::rig(Limits::DEFAULT).answer("\nHEAD / HTTP/1.1\r\n\r\n");
    assert!(unknown.ends_with("\r\n\r\n400 Bad Request"), "{unknown}");
}

#[test]
fn answers_list_the_methods() {
    for request in [
        "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert!(
            App::rig(Limits::DEFAULT)
                .answer(request)
                .contains("\r\nAllow: GET, HEAD, OPTIONS\r\n")
        );
    }
    let echo = App::rig(Limits::DEFAULT).answer("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(echo.contains("\r\nAllow: GET, HEAD, POST, PUT, OPTIONS\r\n"));
}

#[test]
fn a_connection_is_kept_and_closed_as_asked() {
    let mut rig = App::rig(Limits::DEFAULT);
    let client = rig.connect();
    for _ in 0..3 {
        client.send(GET);
        rig.settle();
        let text = client.text();
        assert!(
            text.ends_with("Content-Length: 12\r\n\r\nhello, world"),
            "{text}"
        );
    }
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    rig.settle();
    assert!(client.text().contains("\r\nConnection: keep-alive\r\n"));
    assert_eq!(client.end(), None);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client.send(GET);
    rig.settle();
    let text = client.text();
    assert!(text.contains("\r\nConnection: close\r\n"));
    assert_eq!(
        (text.matches("HTTP/1.1").count(), client.end()),
        (1, Some(End::Finished))
    );
    let counts = rig.server.stats().snapshot();
    assert_eq!(
        (
            counts.connections_open,
            counts.connections_total,
            counts.answers_2xx
        ),
        (0, 1, 5)
    );
}

#[test]
fn a_small_answer_is_one_write() {
    let mut rig = App::rig(Limits::DEFAULT);
    let client = rig.connect();
    client.send(GET);
    rig.settle();
    assert_eq!(client.writes(), 1);
    client.send(GET.replace("/ ", "/big "));
    rig.settle();
    assert_eq!(client.writes(), 3);
    let text = client.received();
    assert!(text.ends_with(&BIG[..]));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut rig = App::rig(Limits::DEFAULT);
    let client = rig.connect();
    let mut requests = String::new();
    for number in 0..200 {
        requests +=
            &format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{number:03}");
        requests += &format!("HEAD /{number} HTTP/1.1\r\nHost: a\r\n\r\n");
        requests += "\r\n";
    }
    client.send(&requests);
    rig.settle();
    let text = client.text();
    let echoed: Vec<_> = text
        .split("\r\n\r\n")
        .filter_map(|part| part.get(..3)?.parse::<u32>().ok())
        .collect();
    assert_eq!(echoed, (0..200).collect::<Vec<_>>());
    assert_eq!(text.matches("HTTP/1.1 404 Not Found\r\n").count(), 200);
    assert_eq!(rig.server.handler().asked.borrow().len(), 400);
    assert_eq!(client.end(), None);
}

#[test]
fn bodies_are_read_or_dropped() {
    let mut rig = App::rig(Limits::DEFAULT);
    for (path, content) in [
        ("/echo", "abcdef"),
        ("/half", "abc"),
        ("/ignore", "hello, world"),
    ] {
        for body in [
            "Content-Length: 6\r\n\r\nabcdef",
            "Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n2\r\nef\r\n0\r\nTrailer: z\r\n\r\n",
        ] {
            for piece in [1, 2, 7, 1000] {
                let client = rig.connect();
                client.set_piece(piece);
                client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{body}{GET}"));
                rig.settle();
                let text = client.text();
                assert!(
                    text.contains(&format!(
                        "Content-Length: {}\r\n\r\n{content}HTTP/1.1 200",
                        content.len()
                    )),
                    "{text}"
                );
                assert!(text.ends_with("\r\n\r\nhello, world"));
                client.close();
            }
        }
    }
}

#[test]
fn a_body_is_asked_for_only_if_it_is_read() {
    let mut rig = App::rig(Limits::DEFAULT);
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
    };
    let client = rig.connect();
    client.send(head("/echo"));
    rig.settle();
    assert_eq!(client.text(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    rig.settle();
    assert!(client.text().ends_with("\r\n\r\nabc"));
    // The same when the body has come along, so that the answer does not depend on that.
    client.send(head("/echo") + "xyz");
    rig.settle();
    let text = client.text();
    assert!(
        text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200") && text.ends_with("xyz"),
        "{text}"
    );
    // Nobody reads it: the client is answered without it, and then it is uncertain what would come.
    client.send(head("/ignore"));
    rig.settle();
    let text = client.text();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("Connection: close"),
        "{text}"
    );
    client.send("abc");
    client.close();
    rig.settle();
    assert_eq!(client.end(), Some(End::Finished));
    // HTTP/1.0 knows no interim answers.
    let old = rig.connect();
    old.send(head("/echo").replace("1.1", "1.0"));
    rig.settle();
    assert_eq!(old.text(), "");
}

#[test]
fn paths_reach_the_handler_normalised() {
    let mut rig = App::rig(Limits::DEFAULT);
    for raw in ["/a/../../b%20c", "http://x/./b%20c?q", "//b%20c"] {
        rig.answer(format!("GET {raw} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    assert_eq!(
        *rig.server.handler().asked.borrow(),
        vec![(Method::Get, "/b c".to_owned()); 3]
    );
}

#[test]
fn a_broken_stream_ends_the_connection() {
    let mut rig = App::rig(Limits::DEFAULT);
    for request in [
        "",
        "GET",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let client = rig.connect();
        client.send(request);
        rig.settle();
        client.break_off();
        rig.pass(std::time::Duration::from_secs(5));
        assert!(
            matches!(
                client.end(),
                Some(End::Stream | End::BadBody(BodyError::CutOff))
            ),
            "{request}"
        );
    }
    assert_eq!(rig.server.stats().snapshot().connections_open, 0);
}

#[test]
fn the_page_is_whole() {
    let text = App::rig(Limits::DEFAULT).answer(GET);
    assert_eq!(
        text.len(),
        text.find("\r\n\r\n").expect("a head") + 4 + PAGE.len()
    );
}
