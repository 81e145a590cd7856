//! A watched descriptor as a stream of bytes.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::AsFd;

use morgana_hal::{ByteStream, StreamError};
use rustix::io::{read, write};

use crate::{Direction, Source};

/// Of a descriptor that does not block. An error of the kernel's, or the end of what can be read, is the stream's end.
impl<T: AsFd + 'static> ByteStream for Source<T> {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let done = self.poll_io(Direction::Read, cx, |io| Ok(read(io, &mut *buffer)?));
        if self.is_stream() && matches!(done, Poll::Ready(Ok(len)) if len < buffer.len()) {
            self.used_up(Direction::Read);
        }
        done.map(at_least_one)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_io(Direction::Write, cx, |io| Ok(write(io, bytes)?))
            .map(at_least_one)
    }
}

fn at_least_one(done: io::Result<usize>) -> Result<usize, StreamError> {
    match done {
        Ok(len @ 1..) => Ok(len),
        Ok(0) | Err(_) => Err(StreamError::Closed),
    }
}
