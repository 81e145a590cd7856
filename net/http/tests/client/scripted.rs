//! A server that says what a test wants, whatever it is asked.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use embedded_io_async::{ErrorType, Read, Write};
use morgana_exec::Executor;
use morgana_http::{Ask, Client, ClientError, ClientLimits, Method};

/// Bytes to read, at most `piece` at a time, and those that were written.
#[derive(Debug)]
pub(crate) struct Scripted<'a> {
    pub(crate) says: &'a [u8],
    pub(crate) piece: usize,
    pub(crate) heard: Vec<u8>,
}

impl ErrorType for Scripted<'_> {
    type Error = Infallible;
}

impl Read for Scripted<'_> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        let count = room.len().min(self.piece).min(self.says.len());
        let (now, later) = self.says.split_at(count);
        room[..count].copy_from_slice(now);
        self.says = later;
        Ok(count)
    }
}

impl Write for Scripted<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let count = bytes.len().min(self.piece);
        self.heard.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// What a client made of an answer: its code, its content, and whether the connection may be used again.
pub(crate) type Made = Result<(u16, Vec<u8>, bool), ClientError>;

/// The limits of the tests.
pub(crate) const LIMITS: ClientLimits = ClientLimits {
    head: 300,
    headers: 6,
    interim: 2,
    ..ClientLimits::DEFAULT
};

/// Asks once, and reads the answer of at most `most` bytes.
pub(crate) fn ask(method: Method, says: &[u8], piece: usize, most: usize) -> Made {
    let stream = Scripted {
        says,
        piece,
        heard: Vec::new(),
    };
    let mut client = Client::new(stream, Executor::new().handle().timers(), LIMITS);
    at_once(async {
        let ask = Ask {
            method,
            ..Ask::get("a", "/")
        };
        let mut reply = client.send(&ask, b"").await?;
        let code = reply.head().code();
        let content = reply.read_to_end(most).await?;
        Ok((code, content, client.is_idle()))
    })
}

/// Without what depends on how much has come already: whether the connection may be used again.
pub(crate) fn content(made: &Made) -> Result<(u16, &[u8]), ClientError> {
    match made {
        Ok((code, content, _)) => Ok((*code, content)),
        Err(error) => Err(*error),
    }
}

/// The output of a future that never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it never waits"),
    }
}
