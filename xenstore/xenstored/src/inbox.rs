//! What one client has sent and what was not handled yet.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll};

use morgana_hal::StreamError;
use morgana_xenstore_wire::{BadStream, Decoder, Packet};

use crate::line::Line;

/// It outlives the task that fills it, so that another program may go on with it.
#[derive(Debug, Default)]
pub(crate) struct Inbox(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    decoder: Decoder,
    /// What another daemon had read already; it comes before what the stream has.
    backlog: Vec<u8>,
    /// Whether [`take_change`](Inbox::take_change) has something to tell.
    has_changed: bool,
}

impl Inbox {
    /// Whether there is something to be had by [`next`](Self::next).
    pub(crate) fn has_next(&self) -> bool {
        self.0.borrow().decoder.has_next()
    }

    /// Gives the next packet to `handle`, which must not look at this inbox; `None` if it is not whole.
    pub(crate) fn next<R>(
        &self,
        handle: impl FnOnce(Packet<'_>) -> R,
    ) -> Result<Option<R>, BadStream> {
        let state = &mut *self.0.borrow_mut();
        state.has_changed = true;
        Ok(state.decoder.next()?.map(handle))
    }

    /// Reads more.
    pub(crate) fn poll_read<L: Line>(
        &self,
        line: &L,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), StreamError>> {
        let State {
            decoder,
            backlog,
            has_changed,
        } = &mut *self.0.borrow_mut();
        let space = decoder.space();
        if !backlog.is_empty() {
            let len = space.len().min(backlog.len());
            space[..len].copy_from_slice(&backlog[..len]);
            backlog.drain(..len);
            decoder.filled(len);
            return Poll::Ready(Ok(()));
        }
        line.poll_read(cx, space).map_ok(|len| {
            decoder.filled(len);
            *has_changed = true;
        })
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        *self.0.borrow_mut() = State::default();
    }

    /// All that was not handled.
    pub(crate) fn unhandled(&self) -> Vec<u8> {
        let state = self.0.borrow();
        [state.decoder.received(), &state.backlog].concat()
    }

    /// How much was not handled.
    pub(crate) fn unhandled_len(&self) -> usize {
        let state = self.0.borrow();
        state.decoder.received().len() + state.backlog.len()
    }

    /// Appends all that was not handled.
    pub(crate) fn copy_unhandled(&self, into: &mut Vec<u8>) {
        let state = self.0.borrow();
        into.extend_from_slice(state.decoder.received());
        into.extend_from_slice(&state.backlog);
    }

    /// Whether something has come, or was handled, since this was last asked.
    pub(crate) fn take_change(&self) -> bool {
        core::mem::take(&mut self.0.borrow_mut().has_changed)
    }

    /// Has what another daemon did not handle come first.
    pub(crate) fn refill(&self, unhandled: Vec<u8>) {
        self.0.borrow_mut().backlog = unhandled;
    }
}
