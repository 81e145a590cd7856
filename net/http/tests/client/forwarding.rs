//! Requests that are passed on.

use std::convert::Infallible;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_exec::Executor;
use morgana_http::{Ask, Client, ClientError, ClientLimits, Method, Upload};

use crate::scripted::{Scripted, at_once};

/// A server that takes so many bytes and no more.
struct Unwilling<'a> {
    stream: Scripted<'a>,
    takes: usize,
}

impl ErrorType for Unwilling<'_> {
    type Error = ErrorKind;
}

impl Read for Unwilling<'_> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        self.stream
            .read(room)
            .await
            .map_err(|never: Infallible| match never {})
    }
}

impl Write for Unwilling<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let count = bytes.len().min(self.takes);
        if count == 0 {
            return Err(ErrorKind::BrokenPipe);
        }
        self.takes -= count;
        self.stream.heard.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Passes on a POST of 10,000 bytes with these fields to a server that takes so many bytes: the status, and whether the connection may be used again.
fn forward(
    says: &[u8],
    takes: usize,
    fields: &[(&[u8], &[u8])],
    upload: Upload,
) -> (Result<(u16, bool), ClientError>, Vec<u8>) {
    let mut stream = Unwilling {
        stream: Scripted {
            says,
            piece: usize::MAX,
            heard: Vec::new(),
        },
        takes,
    };
    let timers = Executor::new().handle().timers();
    let result = at_once(async {
        let mut client = Client::new(&mut stream, timers, ClientLimits::DEFAULT);
        let ask = Ask {
            method: Method::Post,
            ..Ask::get("a", "/")
        };
        let mut source = &[b'x'; 10_000][..];
        let fields = fields.iter().copied();
        let mut reply = client.forward(&ask, fields, &mut source, upload).await?;
        let code = reply.head().code();
        reply.read_to_end(1000).await?;
        Ok((code, client.is_idle()))
    });
    (result, stream.stream.heard)
}

const LENGTH: Upload = Upload::Length(10_000);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn fields_go_as_they_came() {
    let fields: [(&[u8], &[u8]); 2] = [(b"Cookie", b"\xff"), (b"cookie", b"b")];
    let (result, heard) = forward(OK, usize::MAX, &fields, LENGTH);
    assert_eq!(result, Ok((200, true)));
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\nCookie: \xff\r\ncookie: b\r\n\r\nx";
    assert!(heard.starts_with(head));
    for broken in [(&b"A"[..], &b"b\r\nC: d"[..]), (b"A B", b"c"), (b"", b"c")] {
        let (result, heard) = forward(OK, usize::MAX, &[broken], LENGTH);
        assert_eq!((result, heard.len()), (Err(ClientError::Unfit), 0));
    }
}

#[test]
fn a_server_that_does_not_want_all_of_it_is_listened_to() {
    let too_large = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
    for upload in [LENGTH, Upload::Chunked] {
        let (result, _) = forward(too_large, 5000, &[], upload);
        assert_eq!(result, Ok((413, false)), "no other request may follow");
        let (result, _) = forward(b"", 5000, &[], upload);
        assert_eq!(result, Err(ClientError::Stream));
    }
    // One that takes nothing at all has not been asked.
    let (result, _) = forward(too_large, 0, &[], LENGTH);
    assert_eq!(result, Err(ClientError::Stream));
}
