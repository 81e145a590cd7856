//! Servers that break the protocol.

use embedded_io_async::{ErrorType, Read};
use morgana_exec::Executor;
use morgana_http::wire::{ChunkedError, HeadError, ResponseError};
use morgana_http::{Ask, Client, ClientError, Method};

use crate::scripted::{LIMITS, Made, Scripted, ask, at_once, content};

fn get(says: &str) -> Made {
    let whole = ask(Method::Get, says.as_bytes(), usize::MAX, 1000);
    for piece in [1, 2, 7] {
        let pieces = ask(Method::Get, says.as_bytes(), piece, 1000);
        assert_eq!(content(&pieces), content(&whole), "{says:?}");
    }
    whole
}

#[test]
fn answers_are_read_to_their_end() {
    for (says, code, text, again) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            200,
            "abc",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200",
            200,
            "abc",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            200,
            "",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
            200,
            "abc",
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            200,
            "abc",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nall up to the end",
            200,
            "all up to the end",
            false,
        ),
        (
            "HTTP/1.1 404\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
            404,
            "abc",
            true,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
            204,
            "",
            true,
        ),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
            304,
            "",
            true,
        ),
    ] {
        assert_eq!(get(says), Ok((code, text.into(), again)), "{says:?}");
    }
    let head = ask(
        Method::Head,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        9,
        0,
    );
    assert_eq!(head, Ok((200, Vec::new(), true)));
}

#[test]
fn a_server_that_lies_is_found_out() {
    use ClientError::{Chunks, Closed, CutOff, Response, Switching, TooLarge, TooManyInterim};
    let head = |error| Response(ResponseError::Head(error));
    let long = "x".repeat(300);
    let continues = "HTTP/1.1 100 Continue\r\n\r\n";
    for (says, expected) in [
        (String::new(), Closed),
        ("HTTP/1.1 200 OK\r\nContent-Le".into(), CutOff),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc".into(),
            CutOff,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".into(),
            CutOff,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd".into(),
            Chunks(ChunkedError::Malformed),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc".into(),
            Chunks(ChunkedError::Malformed),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n".into(),
            Chunks(ChunkedError::Malformed),
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
                "a:\r\n".repeat(600)
            ),
            Chunks(ChunkedError::TooLarge),
        ),
        (
            format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1001)),
            TooLarge,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".into(),
            Response(ResponseError::Framing),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
            Response(ResponseError::Framing),
        ),
        (
            "HTTP/1.1 200 OK\nContent-Length: 1\n\na".into(),
            head(HeadError::BareLineFeed),
        ),
        (
            "HTTP/1.1 200 OK\rX".into(),
            head(HeadError::BareCarriageReturn),
        ),
        (
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n".into(),
            head(HeadError::Folded),
        ),
        (
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n".into(),
            head(HeadError::HeaderName),
        ),
        (format!("HTTP/1.1 200 {long}"), head(HeadError::HeadTooLong)),
        (
            format!("HTTP/1.1 200 OK\r\nA: {long}"),
            head(HeadError::HeadTooLong),
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{}\r\n", "A:\r\n".repeat(7)),
            head(HeadError::TooManyHeaders),
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n\r\n".into(),
            Response(ResponseError::StatusLine),
        ),
        ("\x15\x03\x01".into(), head(HeadError::ControlByte)),
        (
            "HTTP/2.0 200 OK\r\n\r\n".into(),
            Response(ResponseError::Version),
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n".into(), Switching),
        (continues.repeat(2), Closed),
        (continues.repeat(1000), TooManyInterim),
    ] {
        assert_eq!(get(&says), Err(expected), "{says:?}");
    }
}

#[test]
fn an_answer_that_was_not_asked_for_is_no_answer_to_the_next() {
    let stream = Scripted {
        says: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        piece: usize::MAX,
        heard: Vec::new(),
    };
    let mut client = Client::new(stream, Executor::new().handle().timers(), LIMITS);
    at_once(async {
        let first = client.send(&Ask::get("a", "/"), b"").await.map(drop);
        assert_eq!(first, Ok(()));
        let second = client.send(&Ask::get("a", "/"), b"").await.map(drop);
        assert_eq!(second, Err(ClientError::Unasked));
        let third = client.send(&Ask::get("a", "/"), b"").await.map(drop);
        assert_eq!(third, Err(ClientError::NotIdle));
    });
}

#[test]
fn no_caller_can_be_made_to_split_a_request() {
    for (target, host, fields) in [
        ("/ HTTP/1.1\r\nX: y", "a", &[][..]),
        ("/ b", "a", &[]),
        ("", "a", &[]),
        ("/", "a\r\nX: y", &[]),
        ("/", "a", &[("X", "y\r\nZ: z")]),
        ("/", "a", &[("X: y\r\nZ", "z")]),
    ] {
        let stream = Scripted {
            says: b"",
            piece: usize::MAX,
            heard: Vec::new(),
        };
        let mut client = Client::new(stream, Executor::new().handle().timers(), LIMITS);
        let ask = Ask {
            fields,
            ..Ask::get(host, target)
        };
        let result = at_once(async { client.send(&ask, b"").await.map(drop) });
        assert_eq!(result, Err(ClientError::Unfit), "{target:?} {host:?}");
    }
}

/// Gives so many bytes.
struct Source(usize);

impl ErrorType for Source {
    type Error = ClientError;
}

impl Read for Source {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ClientError> {
        let count = room.len().min(self.0).min(3000);
        room[..count].fill(b'x');
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn a_source_that_ends_too_early_is_an_error() {
    for (bytes, length, expected) in [
        (9, Some(9), Ok(200)),
        (8, Some(9), Err(ClientError::Upload)),
        (9, None, Ok(200)),
    ] {
        let stream = Scripted {
            says: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            piece: usize::MAX,
            heard: Vec::new(),
        };
        let mut client = Client::new(stream, Executor::new().handle().timers(), LIMITS);
        let found = at_once(async {
            let reply = client
                .upload(&Ask::get("a", "/"), &mut Source(bytes), length)
                .await;
            reply.map(|reply| reply.head().code())
        });
        assert_eq!(found, expected);
    }
}
