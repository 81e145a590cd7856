//! Frames that wait to be sent.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Waiters;
use morgana_hal::{ByteStream, DomId, StreamError};

use super::frame::{Frame, Kind};

/// Bytes of frames that may wait. A frame that says that a domain comes or goes always finds room: there are few.
const MAX_BYTES: usize = 32 << 10;

#[derive(Debug, Default)]
pub(super) struct Queue(RefCell<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    /// Of the frames.
    bytes: usize,
    /// Credit of which the other end is still to be told: each is in `waiting` once, however often more of it is given.
    credits: BTreeMap<DomId, u32>,
    /// Those who wait for room, and whoever sends.
    waiters: Waiters,
}

#[derive(Debug)]
enum Waiting {
    Frame(Vec<u8>),
    /// All the credit that a domain has by the time it is sent.
    Credit(DomId),
}

impl Queue {
    /// Adds a frame whatever waits.
    pub(super) fn push(&self, frame: &Frame<'_>) {
        let bytes = frame.bytes();
        let mut inner = self.0.borrow_mut();
        inner.bytes += bytes.len();
        inner.waiting.push_back(Waiting::Frame(bytes));
        inner.waiters.wake_all();
    }

    /// Adds a frame once there is room.
    pub(super) fn poll_push(&self, cx: &mut Context<'_>, frame: &Frame<'_>) -> Poll<()> {
        let mut inner = self.0.borrow_mut();
        if inner.bytes + Frame::len(frame.content.len()) > MAX_BYTES {
            inner.waiters.register(cx.waker());
            return Poll::Pending;
        }
        drop(inner);
        self.push(frame);
        Poll::Ready(())
    }

    /// Lets the other end send so many bytes more of a domain. What an end that does not read is given takes no more room.
    pub(super) fn give(&self, domain: DomId, bytes: usize) {
        let Some(bytes) = u32::try_from(bytes).ok().filter(|&bytes| bytes > 0) else {
            return;
        };
        let mut inner = self.0.borrow_mut();
        match inner.credits.get_mut(&domain) {
            Some(credit) => *credit = credit.saturating_add(bytes),
            None => {
                inner.credits.insert(domain, bytes);
                inner.waiting.push_back(Waiting::Credit(domain));
            }
        }
        inner.waiters.wake_all();
    }

    /// The credit of a domain of which the other end has not been told yet, so that it may not have used it.
    pub(super) fn owed(&self, domain: DomId) -> usize {
        let inner = self.0.borrow();
        inner
            .credits
            .get(&domain)
            .map_or(0, |&bytes| bytes as usize)
    }

    /// Takes back the credit of a domain of which the other end has not been told yet.
    pub(super) fn forget(&self, domain: DomId) {
        self.0.borrow_mut().credits.remove(&domain);
    }

    /// Keeps only frames for which `keep` says so, and no credit.
    pub(super) fn retain(&self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut inner = self.0.borrow_mut();
        let mut bytes = 0;
        inner.waiting.retain(|waiting| match waiting {
            Waiting::Frame(frame) if keep(frame) => {
                bytes += frame.len();
                true
            }
            Waiting::Frame(_) | Waiting::Credit(_) => false,
        });
        inner.bytes = bytes;
        inner.credits.clear();
        inner.waiters.wake_all();
    }

    /// Puts frames before all others.
    pub(super) fn push_front(&self, frames: impl DoubleEndedIterator<Item = Vec<u8>>) {
        let mut inner = self.0.borrow_mut();
        for frame in frames.rev() {
            inner.bytes += frame.len();
            inner.waiting.push_front(Waiting::Frame(frame));
        }
    }

    /// Sends frames, for ever. One that was not sent whole stays.
    pub(super) async fn send<S: ByteStream>(&self, stream: &S) -> Result<Infallible, StreamError> {
        loop {
            let frame = poll_fn(|cx| self.poll_front(cx)).await;
            let mut rest = &frame[..];
            while !rest.is_empty() {
                let len = poll_fn(|cx| stream.poll_write(cx, rest)).await?;
                rest = &rest[len..];
            }
            let mut inner = self.0.borrow_mut();
            inner.waiting.pop_front();
            inner.bytes -= frame.len();
            inner.waiters.wake_all();
        }
    }

    /// The first frame, which stays. Credit becomes a frame.
    fn poll_front(&self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        let mut inner = self.0.borrow_mut();
        loop {
            let domain = match inner.waiting.front() {
                Some(Waiting::Frame(frame)) => return Poll::Ready(frame.clone()),
                Some(Waiting::Credit(domain)) => *domain,
                None => {
                    inner.waiters.register(cx.waker());
                    return Poll::Pending;
                }
            };
            inner.waiting.pop_front();
            if let Some(credit) = inner.credits.remove(&domain) {
                let frame = Frame {
                    kind: Kind::Credit,
                    domain,
                    content: &credit.to_le_bytes(),
                };
                let bytes = frame.bytes();
                inner.bytes += bytes.len();
                inner.waiting.push_front(Waiting::Frame(bytes));
            }
        }
    }
}
