//! The access log.

use morgana_http::server::LINE;
use morgana_http::{AccessLog, Limits};

use crate::app::App;
use crate::support::Rig;

fn rig(capacity: usize) -> Rig<App> {
    let app = |timers| {
        let mut app = App::new(timers);
        app.log = Some(AccessLog::new(capacity));
        app
    };
    Rig::new(app, Limits::DEFAULT)
}

/// The lines about the answers to `requests`.
fn lines(rig: &mut Rig<App>, requests: impl AsRef<[u8]>) -> Vec<String> {
    rig.answer_bytes(requests);
    let log = rig.server.handler().log.as_ref().unwrap();
    let mut line = [0; LINE];
    std::iter::from_fn(|| log.take(&mut line).map(|length| line[..length].to_vec()))
        .map(|line| String::from_utf8(line).unwrap())
        .collect()
}

#[test]
fn a_line_is_in_the_combined_format() {
    let said = lines(
        &mut rig(4096),
        "GET /x/../big?q=1&r HTTP/1.1\r\nHost: a\r\nReferer: http://b/\r\nUser-Agent: curl/8 (x)\r\n\r\n\
         HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n\
         GET /own HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /\nX",
    );
    let start = "192.0.2.7 - - [06/Nov/1994:08:49:37 +0000]";
    assert_eq!(
        said,
        [
            format!("{start} \"GET /big?q=1&r HTTP/1.1\" 200 50000 \"http://b/\" \"curl/8 (x)\""),
            format!("{start} \"HEAD / HTTP/1.0\" 200 0 \"-\" \"-\""),
            format!("{start} \"GET /own HTTP/1.1\" 200 17 \"-\" \"-\""),
            format!("{start} \"-\" 400 15 \"-\" \"-\""),
        ]
    );
}

#[test]
fn no_client_can_forge_a_line() {
    let mut rig = rig(1 << 16);
    let said = lines(
        &mut rig,
        "GET /a%20b%22%25%C3%A9?c\x7bd HTTP/1.1\r\nHost: a\r\nUser-Agent: a\" 200 \\\t\u{e9}\r\nReferer:\r\n\r\n",
    );
    assert_eq!(said.len(), 1);
    let (_, rest) = said[0].split_once("] ").unwrap();
    assert_eq!(
        rest,
        "\"GET /a%20b%22%25%C3%A9?c{d HTTP/1.1\" 404 13 \"-\" \"a\\x22 200 \\x5C\\x09\\xC3\\xA9\""
    );
    let long = "\"".repeat(1500);
    let request = format!(
        "GET /{}?{} HTTP/1.1\r\nHost: a\r\nUser-Agent: {long}\r\nReferer: {long}\r\n\r\n",
        "%22".repeat(1000),
        "x".repeat(1000)
    );
    let said = lines(&mut rig, request);
    assert_eq!(said.len(), 1);
    assert!(said[0].len() < LINE && said[0].is_ascii());
    assert_eq!(said[0].matches('"').count(), 6, "{}", said[0]);
}

#[test]
fn what_has_no_room_is_dropped_and_counted() {
    let mut rig = rig(200);
    let requests = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5);
    assert_eq!(lines(&mut rig, &requests).len(), 2);
    assert_eq!(rig.server.handler().log.as_ref().unwrap().dropped(), 3);
    assert_eq!(lines(&mut rig, &requests).len(), 2);
}
