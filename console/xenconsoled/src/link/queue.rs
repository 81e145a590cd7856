//! Frames that wait to be sent.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Waiters;
use morgana_hal::{ByteStream, StreamError};

use super::frame::Frame;

/// Bytes of frames that may wait. A frame that says that a domain comes or goes, or gives credit, always finds room: there are few.
const MAX_BYTES: usize = 32 << 10;

#[derive(Debug, Default)]
pub(super) struct Queue(RefCell<Inner>);

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Those who wait for room, and whoever sends.
    waiters: Waiters,
}

impl Queue {
    /// Adds a frame whatever waits.
    pub(super) fn push(&self, frame: &Frame<'_>) {
        let mut bytes = Vec::with_capacity(Frame::len(frame.content.len()));
        frame.write(&mut bytes);
        let mut inner = self.0.borrow_mut();
        inner.bytes += bytes.len();
        inner.frames.push_back(bytes);
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

    /// Keeps only frames for which `keep` says so.
    pub(super) fn retain(&self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut inner = self.0.borrow_mut();
        inner.frames.retain(|frame| keep(frame));
        inner.bytes = inner.frames.iter().map(Vec::len).sum();
        inner.waiters.wake_all();
    }

    /// Puts frames before all others.
    pub(super) fn push_front(&self, frames: impl DoubleEndedIterator<Item = Vec<u8>>) {
        let mut inner = self.0.borrow_mut();
        for frame in frames.rev() {
            inner.bytes += frame.len();
            inner.frames.push_front(frame);
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
            inner.frames.pop_front();
            inner.bytes -= frame.len();
            inner.waiters.wake_all();
        }
    }

    fn poll_front(&self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        let mut inner = self.0.borrow_mut();
        if let Some(frame) = inner.frames.front() {
            return Poll::Ready(frame.clone());
        }
        inner.waiters.register(cx.waker());
        Poll::Pending
    }
}
