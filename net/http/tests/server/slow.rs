//! Clients that take their time, on a clock that the tests move.

use std::time::Duration;

use morgana_http::{BodyError, End, Limits};

use crate::app::{App, BIG};

const SECOND: Duration = Duration::from_secs(1);
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GET_BIG: &str = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let mut rig = App::rig(Limits::DEFAULT);
    let (fresh, used) = (rig.connect(), rig.connect());
    rig.pass(30 * SECOND);
    used.send(GET);
    rig.pass(29 * SECOND);
    assert_eq!((fresh.end(), used.end()), (None, None));
    rig.pass(SECOND);
    assert_eq!((fresh.end(), fresh.text().as_str()), (Some(End::Idle), ""));
    assert_eq!(used.end(), None);
    assert!(used.text().starts_with("HTTP/1.1 200"));
    rig.pass(30 * SECOND);
    assert_eq!((used.end(), used.text().as_str()), (Some(End::Idle), ""));
    assert_eq!(rig.server.stats().snapshot().timeouts, 0);
}

#[test]
fn a_head_that_drips_is_answered_with_408() {
    let mut rig = App::rig(Limits::DEFAULT);
    let client = rig.connect();
    rig.pass(20 * SECOND);
    for byte in "GET / HTTP".bytes() {
        client.send([byte]);
        rig.pass(SECOND);
    }
    let text = client.text();
    assert!(
        text.starts_with("HTTP/1.1 408 Request Timeout\r\n") && text.contains("Connection: close"),
        "{text}"
    );
    client.close();
    rig.settle();
    assert_eq!(client.end(), Some(End::HeadTimeout));
    assert_eq!(rig.server.stats().snapshot().timeouts, 1);
}

#[test]
fn a_body_that_drips_is_answered_with_408() {
    for (path, framing) in [
        ("/echo", "Content-Length: 99"),
        ("/ignore", "Transfer-Encoding: chunked"),
    ] {
        let mut rig = App::rig(Limits::DEFAULT);
        let client = rig.connect();
        client.send(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n1"
        ));
        for _ in 0..29 {
            rig.pass(SECOND);
            client.send("1");
            rig.settle();
            if framing.starts_with("Transfer") {
                break;
            }
        }
        assert_eq!(client.text(), "");
        rig.pass(30 * SECOND);
        assert!(client.text().starts_with("HTTP/1.1 408"));
        rig.pass(SECOND);
        assert_eq!(client.end(), Some(End::BadBody(BodyError::TimedOut)));
    }
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let mut rig = App::rig(Limits::DEFAULT);
    let client = rig.connect();
    client.set_window(2000);
    client.send(GET_BIG);
    rig.pass(9 * SECOND);
    assert_eq!(client.end(), None);
    rig.pass(SECOND);
    assert_eq!(client.end(), Some(End::WriteTimeout));
    assert_eq!(
        (
            client.received().len(),
            rig.server.stats().snapshot().timeouts
        ),
        (2000, 1)
    );
}

#[test]
fn a_client_that_reads_too_slowly_is_dropped_and_a_slow_one_is_not() {
    let mut rig = App::rig(Limits::DEFAULT);
    let (slow, slower) = (rig.connect(), rig.connect());
    for (client, window) in [(&slow, 1024), (&slower, 500)] {
        client.set_window(window);
        client.send(GET_BIG);
    }
    for _ in 0..60 {
        rig.pass(SECOND);
        slow.set_window(1024);
        slower.set_window(500);
    }
    rig.settle();
    assert!(slow.received().ends_with(&BIG[..]));
    assert_eq!((slow.end(), slower.end()), (None, Some(End::WriteTimeout)));
}

#[test]
fn a_slow_handler_is_waited_for() {
    let mut rig = App::rig(Limits::DEFAULT);
    let client = rig.connect();
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n".to_owned() + GET);
    rig.pass(4 * SECOND);
    assert_eq!(client.text(), "");
    rig.pass(SECOND);
    assert_eq!(client.text().matches("HTTP/1.1 200").count(), 2);
}

#[test]
fn after_a_refusal_the_rest_is_read_for_a_while() {
    let mut rig = App::rig(Limits {
        linger_bytes: 1000,
        ..Limits::DEFAULT
    });
    let client = rig.connect();
    client.send("BAD\r\n\r\n");
    rig.settle();
    assert!(client.text().starts_with("HTTP/1.1 400"));
    client.send([b'x'; 999]);
    rig.settle();
    assert_eq!(client.end(), None);
    client.send("x");
    rig.settle();
    assert!(client.end().is_some());

    let silent = rig.connect();
    silent.send("BAD\r\n\r\n");
    rig.pass(SECOND / 2);
    assert_eq!(silent.end(), None);
    rig.pass(SECOND / 2);
    assert!(silent.end().is_some());
}
