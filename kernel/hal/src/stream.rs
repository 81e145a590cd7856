//! Streams of bytes to the outside: xenstore's and the console's.

use core::convert::Infallible;
use core::fmt;
use core::task::{Context, Poll};

/// A two-way stream of bytes. Methods take `&self`, so that a reading task and a writing task can share it in an `Rc`.
pub trait ByteStream: 'static {
    /// Reads at least one byte and at most `buffer.len()`; 0 only for an empty buffer.
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>>;

    /// Writes at least one byte and at most `bytes.len()`; 0 only for no bytes. What is written is on its way: no flush is needed.
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>>;
}

/// A stream that there is not.
impl ByteStream for Infallible {
    fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, StreamError>> {
        match *self {}
    }

    fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<Result<usize, StreamError>> {
        match *self {}
    }
}

/// Why a stream ended. It does not recover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamError {
    /// The other side closed it.
    Closed,
    /// The other side broke the ring's rules: its indices are further apart than the ring is long.
    BadIndices,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the other side closed the stream",
            Self::BadIndices => "the other side wrote impossible ring indices",
        })
    }
}

impl core::error::Error for StreamError {}
