//! Contents that are made while they are sent.

use std::time::Duration;

use embedded_io_async::Write;
use morgana_exec::Timers;
use morgana_http::{
    BodyError, End, EntityTag, Handler, Length, Limits, OutputError, Portion, Read, Request,
    Response, Unfinished,
};

use crate::support::Rig;

const SECOND: Duration = Duration::from_secs(1);

/// Its path says what it does.
struct Maker(Timers);

impl Maker {
    fn rig() -> Rig<Self> {
        Rig::new(Self, Limits::DEFAULT)
    }
}

impl Handler for Maker {
    const STREAMS: bool = true;

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        _: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let length = match request.path() {
            "/known" | "/short" | "/parts" => Length::Known(10),
            "/long" => Length::Known(9),
            _ => Length::Unknown,
        };
        let response = Response::streamed("text/plain", length).etag(EntityTag::strong("v"));
        match request.path() {
            "/parts" => response.in_parts(),
            "/split" => response.fields(&[("X", "a\r\nY: b")]),
            _ => response,
        }
    }

    async fn stream(
        &self,
        request: &Request<'_>,
        portion: Portion<'_>,
        content: &mut impl Write<Error = OutputError>,
    ) -> Result<(), Unfinished> {
        match request.path() {
            "/short" => content.write_all(b"123456789").await?,
            "/fails" => {
                content.write_all(b"half").await?;
                content.flush().await?;
                return Err(Unfinished);
            }
            "/parts" => {
                assert_eq!(portion.etag(), Some(&EntityTag::strong("v")));
                let first = portion.first() as usize;
                let length = portion.length().expect("it is known") as usize;
                content
                    .write_all(&b"0123456789"[first..first + length])
                    .await?;
            }
            "/large" => content.write_all(&[b'x'; 70_000]).await?,
            "/pauses" => {
                for pause in [50, 50, 61] {
                    content.write_all(b"piece").await?;
                    content.flush().await?;
                    self.0.sleep(pause * SECOND).await;
                }
            }
            "/endless" => loop {
                content.write_all(&[b'y'; 100]).await?;
            },
            _ => {
                for digit in b"0123456789" {
                    content.write_all(&[*digit]).await?;
                }
            }
        }
        Ok(())
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"v\"\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn small_pieces_are_gathered_and_the_connection_goes_on() {
    let mut rig = Maker::rig();
    let answers = rig.answer(get("/").repeat(2));
    let one = format!("{CHUNKED}000a\r\n0123456789\r\n0\r\n\r\n");
    assert_eq!(answers, one.repeat(2));
}

#[test]
fn a_client_of_http_1_0_reads_to_the_end_of_the_connection() {
    let answer = Maker::rig().answer("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"v\"\r\nConnection: close\r\n\r\n0123456789"
    );
}

#[test]
fn a_known_length_is_told_and_kept() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"v\"\r\nContent-Length: ";
    let mut rig = Maker::rig();
    assert_eq!(
        rig.answer(get("/known").repeat(2)),
        format!("{head}10\r\n\r\n0123456789").repeat(2)
    );
    // What does not come to its end ends the connection, so that the client sees it.
    for (path, length, sent) in [("/short", 10, ""), ("/long", 9, "")] {
        let client = rig.connect();
        client.send(get(path).repeat(2));
        rig.settle();
        assert_eq!(client.end(), Some(End::Unfinished), "{path}");
        assert_eq!(client.text(), format!("{head}{length}\r\n\r\n{sent}"));
    }
}

#[test]
fn no_content_is_made_that_nobody_wants() {
    let mut rig = Maker::rig();
    let head = "HEAD /fails HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(rig.answer(head), CHUNKED);
    let known = "GET /fails HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"v\"\r\n\r\n";
    let not_modified = "HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n";
    assert_eq!(rig.answer(known.repeat(2)), not_modified.repeat(2));
    // A range gets the whole.
    let range = "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n";
    assert!(rig.answer(range).starts_with(CHUNKED));
    let split = rig.answer(get("/split"));
    assert!(split.starts_with("HTTP/1.1 500 "), "{split}");
}

#[test]
fn a_part_is_made_of_a_content_that_is_made_in_parts() {
    let mut rig = Maker::rig();
    let mut ask =
        |lines: &str| rig.answer(format!("GET /parts HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
    let about = "Content-Type: text/plain\r\nAccept-Ranges: bytes\r\nETag: \"v\"\r\n";
    let whole = format!("HTTP/1.1 200 OK\r\n{about}Content-Length: 10\r\n\r\n0123456789");
    let part = |range: &str, bytes: &str| {
        let length = bytes.len();
        format!(
            "HTTP/1.1 206 Partial Content\r\n{about}Content-Range: bytes {range}/10\r\nContent-Length: {length}\r\n\r\n{bytes}"
        )
    };
    for (lines, expected) in [
        ("", whole.clone()),
        ("Range: bytes=0-1\r\n", part("0-1", "01")),
        ("Range: bytes=8-\r\n", part("8-9", "89")),
        ("Range: bytes=-3\r\n", part("7-9", "789")),
        ("Range: bytes=1-2, 4-5\r\n", whole.clone()),
        ("Range: bytes=3-3\r\nIf-Range: \"v\"\r\n", part("3-3", "3")),
        ("Range: bytes=3-3\r\nIf-Range: \"w\"\r\n", whole),
        (
            "Range: bytes=10-\r\n",
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n".into(),
        ),
    ] {
        assert_eq!(ask(lines), expected, "{lines}");
    }
    // The connection goes on behind a part.
    let again = "GET /parts HTTP/1.1\r\nHost: a\r\nRange: bytes=4-5\r\n\r\n";
    assert_eq!(rig.answer(again.repeat(2)), part("4-5", "45").repeat(2));
}

#[test]
fn a_content_that_fails_has_no_last_chunk() {
    let mut rig = Maker::rig();
    let client = rig.connect();
    client.send(get("/fails"));
    rig.settle();
    assert_eq!(client.end(), Some(End::Unfinished));
    assert_eq!(client.text(), format!("{CHUNKED}0004\r\nhalf\r\n"));
}

#[test]
fn large_pieces_go_out_in_chunks_of_their_own() {
    let text = Maker::rig().answer(get("/large"));
    let body = text.strip_prefix(CHUNKED).unwrap();
    let (first, rest) = body.strip_prefix("ffff\r\n").unwrap().split_at(0xffff);
    let rest = rest.strip_prefix("\r\n1171\r\n").unwrap();
    let (second, end) = rest.split_at(0x1171);
    assert_eq!(first.len() + second.len(), 70_000);
    assert!([first, second].concat().bytes().all(|byte| byte == b'x'));
    assert_eq!(end, "\r\n0\r\n\r\n");
}

#[test]
fn who_makes_nothing_for_too_long_is_given_up() {
    let mut rig = Maker::rig();
    let client = rig.connect();
    client.send(get("/pauses"));
    rig.pass(100 * SECOND);
    assert_eq!(client.end(), None);
    rig.pass(59 * SECOND);
    assert_eq!(client.end(), None);
    rig.pass(SECOND);
    assert_eq!(client.end(), Some(End::Unfinished));
    let pieces = "0005\r\npiece\r\n".repeat(3);
    assert_eq!(client.text(), format!("{CHUNKED}{pieces}"));
}

#[test]
fn a_client_that_takes_nothing_stops_an_endless_content() {
    let mut rig = Maker::rig();
    let client = rig.connect();
    client.set_window(5000);
    client.send(get("/endless"));
    rig.settle();
    assert_eq!((client.end(), client.received().len()), (None, 5000));
    rig.pass(11 * SECOND);
    assert_eq!(client.end(), Some(End::Unfinished));
    assert!(client.received().is_empty());
}
