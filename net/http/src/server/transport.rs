//! Reading and writing with a deadline, counted.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_io_async::{Read, Write};
use morgana_exec::Timers;
use morgana_hal::Instant;

use super::{Limits, Stats};
use crate::wire::Status;

/// Why reading or writing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportError {
    TimedOut,
    Failed,
}

/// A stream together with what bounds and counts its use.
#[derive(Debug)]
pub(super) struct Transport<'s, S> {
    stream: &'s mut S,
    timers: &'s Timers,
    limits: &'s Limits,
    stats: &'s Stats,
    sent: Option<Sent>,
}

/// What was sent of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) status: Status,
    /// Bytes of it, and of its head the bytes that are not sent yet as a negative number.
    beyond_head: i64,
}

impl Sent {
    /// Bytes behind its head, framing included.
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.beyond_head).unwrap_or(0)
    }
}

impl<'s, S: Read + Write> Transport<'s, S> {
    pub(super) fn new(
        stream: &'s mut S,
        timers: &'s Timers,
        limits: &'s Limits,
        stats: &'s Stats,
    ) -> Self {
        Self {
            stream,
            timers,
            limits,
            stats,
            sent: None,
        }
    }

    /// Counts an answer of this status, and from now on what is sent of it, for the access log. Its head has so many bytes.
    pub(super) fn begin_answer(&mut self, status: Status, head: usize) {
        self.stats.count_answer(status);
        let beyond_head = -i64::try_from(head).unwrap_or(0);
        self.sent = Some(Sent {
            status,
            beyond_head,
        });
    }

    /// What was sent of the answer that was begun, if one was.
    pub(super) fn end_answer(&mut self) -> Option<Sent> {
        self.sent.take()
    }

    pub(super) fn now(&self) -> Instant {
        self.timers.now()
    }

    /// Reads some bytes; 0 at the stream's end.
    pub(super) async fn read(
        &mut self,
        room: &mut [u8],
        deadline: Instant,
    ) -> Result<usize, TransportError> {
        let limit = room.len();
        let read = before(self.timers, deadline, pin!(self.stream.read(room))).await?;
        let count = read.map_err(|_| TransportError::Failed)?.min(limit);
        self.stats.count_in(count);
        Ok(count)
    }

    /// Writes all of `bytes`. Each piece must be taken within the limit for a client that takes none.
    pub(super) async fn write_all(
        &mut self,
        mut bytes: &[u8],
        deadline: Instant,
    ) -> Result<(), TransportError> {
        while !bytes.is_empty() {
            let by = deadline.min(self.now() + self.limits.write_time);
            match before(self.timers, by, pin!(self.stream.write(bytes))).await? {
                Ok(0) | Err(_) => return Err(TransportError::Failed),
                Ok(count) => {
                    self.stats.count_out(count);
                    if let Some(sent) = &mut self.sent {
                        sent.beyond_head += count as i64;
                    }
                    bytes = bytes.get(count..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    /// Hands on what the stream may have kept back.
    pub(super) async fn flush(&mut self, deadline: Instant) -> Result<(), TransportError> {
        before(self.timers, deadline, pin!(self.stream.flush()))
            .await?
            .map_err(|_| TransportError::Failed)
    }
}

/// Lets `operation` run until `deadline`. It is pinned by the caller, so that a connection's future, of which there may
/// be a thousand, holds it once.
async fn before<F: Future>(
    timers: &Timers,
    deadline: Instant,
    mut operation: Pin<&mut F>,
) -> Result<F::Output, TransportError> {
    let mut sleep = pin!(timers.sleep_until(deadline));
    poll_fn(|context| match operation.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => sleep
            .as_mut()
            .poll(context)
            .map(|()| Err(TransportError::TimedOut)),
    })
    .await
}
