//! Two connected byte streams in memory: for tests, and where both ends live in one domain.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::task::{Context, Poll};

use morgana_hal::{ByteStream, StreamError};

use crate::Waiters;

/// One end of a pair; see [`duplex`]. Dropping it closes the stream: the other end still reads what is on its way.
#[derive(Debug)]
pub struct Duplex {
    incoming: Rc<RefCell<Lane>>,
    outgoing: Rc<RefCell<Lane>>,
}

#[derive(Debug)]
struct Lane {
    bytes: VecDeque<u8>,
    capacity: usize,
    closed: bool,
    /// Tasks of either end that wait for bytes, for room, or for the end.
    waiters: Waiters,
}

/// A pair of connected streams. Each way holds at most `capacity` bytes (at least 1); a write waits for room.
pub fn duplex(capacity: usize) -> (Duplex, Duplex) {
    let lane = || {
        Rc::new(RefCell::new(Lane {
            bytes: VecDeque::new(),
            capacity: capacity.max(1),
            closed: false,
            waiters: Waiters::new(),
        }))
    };
    let (there, back) = (lane(), lane());
    let first = Duplex {
        incoming: back.clone(),
        outgoing: there.clone(),
    };
    let second = Duplex {
        incoming: there,
        outgoing: back,
    };
    (first, second)
}

impl ByteStream for Duplex {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let mut lane = self.incoming.borrow_mut();
        let len = lane.bytes.len().min(buffer.len());
        if len > 0 || buffer.is_empty() {
            for (into, byte) in buffer.iter_mut().zip(lane.bytes.drain(..len)) {
                *into = byte;
            }
            lane.waiters.wake_all();
            return Poll::Ready(Ok(len));
        }
        if lane.closed {
            return Poll::Ready(Err(StreamError::Closed));
        }
        lane.waiters.register(cx.waker());
        Poll::Pending
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        let mut lane = self.outgoing.borrow_mut();
        if lane.closed {
            return Poll::Ready(Err(StreamError::Closed));
        }
        let len = bytes.len().min(lane.capacity - lane.bytes.len());
        if len > 0 || bytes.is_empty() {
            lane.bytes.extend(&bytes[..len]);
            lane.waiters.wake_all();
            return Poll::Ready(Ok(len));
        }
        lane.waiters.register(cx.waker());
        Poll::Pending
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        for lane in [&self.incoming, &self.outgoing] {
            let mut lane = lane.borrow_mut();
            lane.closed = true;
            lane.waiters.wake_all();
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{Executor, ManualClock, join};
    use core::future::poll_fn;
    use std::vec::Vec;

    #[test]
    fn bytes_cross_a_narrow_lane_and_a_drop_ends_it() {
        let clock = ManualClock::default();
        let (a, b) = duplex(3);
        let sent: Vec<u8> = (0..100).collect();
        let expected = sent.clone();
        let write = async move {
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let len = poll_fn(|cx| a.poll_write(cx, rest)).await.unwrap();
                rest = &rest[len..];
            }
        };
        let read = async move {
            let mut got = Vec::new();
            let mut buffer = [0; 7];
            loop {
                match poll_fn(|cx| b.poll_read(cx, &mut buffer)).await {
                    Ok(len) => got.extend_from_slice(&buffer[..len]),
                    Err(error) => return (got, error, poll_fn(|cx| b.poll_write(cx, &[1])).await),
                }
            }
        };
        let (_, (got, error, refused)) =
            Executor::new().block_on(join(write, read), &mut clock.idle(), &clock);
        assert_eq!(got, expected);
        assert_eq!(error, StreamError::Closed);
        assert_eq!(refused, Err(StreamError::Closed));
    }
}
