//! What must hold for any bytes that a client sends. The fuzz target and the replay of its corpus both call this.

use morgana_http::wire::HeadLimits;
use morgana_http::{End, Limits, Request};

use crate::app::App;

/// Limits that short inputs can reach.
const LIMITS: Limits = Limits {
    head: 1500,
    target: 300,
    headers: 12,
    body: 200,
    requests: 16,
    large_heads: 1,
    linger_bytes: 400,
    ..Limits::DEFAULT
};

/// What the client saw.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    answers: Vec<u8>,
    end: Option<End>,
    asked: Vec<(morgana_http::Method, String)>,
}

/// How a run goes on when all is sent.
#[derive(Clone, Copy, Debug)]
enum Then {
    Close,
    Stall,
}

/// Checks one input. Its first byte says how the stream is cut and how it ends; the rest is what a client sends.
pub(crate) fn check(input: &[u8]) {
    let Some((&control, bytes)) = input.split_first() else {
        return;
    };
    let then = if control & 0x80 == 0 {
        Then::Close
    } else {
        Then::Stall
    };
    let whole = run(bytes, usize::MAX, then);
    let pieces = run(bytes, usize::from(control & 0x7f).max(1), then);
    assert_eq!(
        whole, pieces,
        "the pieces in which the bytes came made a difference"
    );
    read_answers(&whole.answers);
    for (_, path) in &whole.asked {
        let segments = path.strip_prefix('/').expect("a path begins with a slash");
        assert!(
            !segments
                .split('/')
                .any(|segment| matches!(segment, "." | "..")),
            "{path}"
        );
    }
    compare_with_httparse(bytes);
}

/// Serves `bytes`, at most `piece` of them at a time.
fn run(bytes: &[u8], piece: usize, then: Then) -> Seen {
    let mut rig = App::rig(LIMITS);
    let client = rig.connect();
    client.set_piece(piece);
    client.send(bytes);
    match then {
        Then::Close => client.close(),
        Then::Stall => {}
    }
    // Longer than all time limits together, so that no client can hold a connection for ever.
    rig.pass(std::time::Duration::from_secs(300));
    let end = client.end();
    assert!(end.is_some(), "the connection did not end");
    let counts = rig.server.stats().snapshot();
    assert_eq!((counts.connections_open, counts.connections_total), (0, 1));
    assert!(counts.bytes_in <= bytes.len() as u64);
    let answers = client.received();
    assert_eq!(counts.bytes_out, answers.len() as u64);
    let asked = rig.server.handler().asked.take();
    Seen {
        answers,
        end,
        asked,
    }
}

/// Reads the answers as a client would, with another parser, and insists that they are a whole number of them.
fn read_answers(mut answers: &[u8]) {
    while !answers.is_empty() {
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut fields);
        let head = match response.parse(answers) {
            Ok(httparse::Status::Complete(length)) => length,
            other => panic!("{other:?}: {}", answers.escape_ascii()),
        };
        let field = |name: &str| {
            let found = response
                .headers
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case(name));
            found.map(|field| std::str::from_utf8(field.value).expect("text"))
        };
        let code = response.code.expect("complete");
        let length = match code {
            100 | 204 | 304 => {
                assert_eq!(field("content-length"), None);
                0
            }
            _ => field("content-length")
                .expect("a length")
                .parse()
                .expect("a number"),
        };
        let closes = field("connection") == Some("close");
        answers = &answers[head..];
        // An answer to HEAD has a length but no content. One that refuses what may have been HEAD is the last.
        let without_content = field("x-method") == Some("HEAD") || (closes && answers.is_empty());
        if !without_content {
            answers = answers.get(length..).expect("the content is whole");
        }
        assert!(
            !closes || answers.is_empty(),
            "something follows the last answer"
        );
    }
}

/// A head that ours takes, theirs must take, and see the same in it.
fn compare_with_httparse(bytes: &[u8]) {
    let limits = HeadLimits {
        head: LIMITS.head,
        target: LIMITS.target,
        headers: LIMITS.headers,
    };
    let mut head = bytes.to_vec();
    let Ok(ours) = Request::parse(&mut head, &limits) else {
        return;
    };
    let mut fields = [httparse::EMPTY_HEADER; 12];
    let mut theirs = httparse::Request::new(&mut fields);
    match theirs.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        // Minor versions over 1 are ours alone.
        Err(httparse::Error::Version) => return,
        other => panic!("{other:?}"),
    }
    assert_eq!(theirs.method, Some(ours.method().name()));
    let seen: Vec<_> = ours.headers().iter().collect();
    let expected: Vec<_> = theirs
        .headers
        .iter()
        .map(|field| (field.name.as_bytes(), field.value.trim_ascii_end()))
        .collect();
    assert_eq!(seen, expected);
}
