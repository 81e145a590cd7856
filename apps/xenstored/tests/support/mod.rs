//! A client at the daemon's socket.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use morgana_xenstore_wire::{Decoder, Header, Operation, Request, RequestId, TransactionId};

/// A client with one request under way at a time.
pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    decoder: Decoder,
    requests: u32,
    /// The payloads of events that came with replies, with `|` for NUL.
    pub(crate) events: Vec<String>,
}

impl Client {
    pub(crate) fn connect(socket: impl AsRef<Path>) -> Self {
        Self {
            stream: UnixStream::connect(socket).unwrap(),
            decoder: Decoder::new(),
            requests: 0,
            events: Vec::new(),
        }
    }

    /// The next request's bytes.
    pub(crate) fn bytes(&mut self, transaction: u32, request: Request<'_>) -> Vec<u8> {
        self.requests += 1;
        let mut bytes = Vec::new();
        let (id, transaction) = (RequestId(self.requests), TransactionId(transaction));
        request.encode(id, transaction, &mut bytes).unwrap();
        bytes
    }

    /// The reply's payload, with `|` for NUL; an error if the daemon is gone.
    pub(crate) fn try_ask(&mut self, transaction: u32, request: Request<'_>) -> io::Result<String> {
        let bytes = self.bytes(transaction, request);
        self.stream.write_all(&bytes)?;
        self.answer()
    }

    pub(crate) fn ask(&mut self, transaction: u32, request: Request<'_>) -> String {
        self.try_ask(transaction, request).unwrap()
    }

    /// The next reply; events are kept.
    pub(crate) fn answer(&mut self) -> io::Result<String> {
        loop {
            let (header, text) = self.packet()?;
            if header.operation() == Some(Operation::WatchEvent) {
                self.events.push(text);
            } else {
                return Ok(text);
            }
        }
    }

    pub(crate) fn packet(&mut self) -> io::Result<(Header, String)> {
        loop {
            if let Some(packet) = self.decoder.next().unwrap() {
                let text = String::from_utf8_lossy(packet.payload).replace('\0', "|");
                return Ok((packet.header, text));
            }
            match self.stream.read(self.decoder.space())? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                len => self.decoder.filled(len),
            }
        }
    }
}

pub(crate) fn write<'a>(path: &'a str, value: &'a str) -> Request<'a> {
    let value = value.as_bytes();
    Request::Write { path, value }
}

pub(crate) fn read(path: &str) -> Request<'_> {
    Request::Read { path }
}
