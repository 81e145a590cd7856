//! Streams in memory for HTTP.

use std::future::poll_fn;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use morgana_exec::{Duplex, duplex};
use morgana_hal::ByteStream;

/// One end.
#[derive(Debug)]
pub(crate) struct Stream(Duplex);

/// Two ends.
pub(crate) fn pair() -> (Stream, Stream) {
    let (one, other) = duplex(8 * 1024);
    (Stream(one), Stream(other))
}

impl ErrorType for Stream {
    type Error = ErrorKind;
}

impl Read for Stream {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        // Closed is the end.
        Ok(poll_fn(|cx| self.0.poll_read(cx, room)).await.unwrap_or(0))
    }
}

impl Write for Stream {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|cx| self.0.poll_write(cx, bytes))
            .await
            .map_err(|_| ErrorKind::BrokenPipe)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
