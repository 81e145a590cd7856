//! A stream that waits for its peer: a node that offers a vchan does so before anybody is there to take it up.

use core::cell::Cell;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_hal::{ByteStream, StreamError};

/// A stream whose other end has said something, the first of which is given out again.
///
/// [`Node::attach`](crate::Node::attach) takes a peer that is silent for gone. A server's end of a vchan has no peer until a client takes it up, which may be never: this waits for that.
#[derive(Debug)]
pub struct Begun<S> {
    stream: S,
    first: Cell<Option<u8>>,
}

impl<S: ByteStream> Begun<S> {
    /// Waits until the other end has sent a byte.
    ///
    /// # Errors
    ///
    /// The stream's, if it ends before.
    pub async fn wait(stream: S) -> Result<Self, StreamError> {
        let mut first = [0];
        poll_fn(|cx| stream.poll_read(cx, &mut first)).await?;
        Ok(Self {
            stream,
            first: Cell::new(Some(first[0])),
        })
    }
}

impl<S: ByteStream> ByteStream for Begun<S> {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let (Some(first), Some(place)) = (self.first.get(), buffer.first_mut()) else {
            return self.stream.poll_read(cx, buffer);
        };
        self.first.set(None);
        *place = first;
        Poll::Ready(Ok(1))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.stream.poll_write(cx, bytes)
    }
}
