//! A watched descriptor.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::task::{Context, Poll};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::rc::Rc;

use morgana_exec::Waiters;

use crate::Reactor;

/// What a task wants to do with a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Read, or accept.
    Read,
    /// Write, or finish connecting.
    Write,
}

/// What is known of a descriptor: an edge that was seen stays noted until an operation would block.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    pub(crate) read: DirectionState,
    pub(crate) write: DirectionState,
}

#[derive(Debug, Default)]
pub(crate) struct DirectionState {
    ready: Cell<bool>,
    waiters: RefCell<Waiters>,
}

impl DirectionState {
    pub(crate) fn set(&self) {
        self.ready.set(true);
        self.waiters.borrow_mut().wake_all();
    }
}

/// A watched descriptor. Dropping it ends the watch and closes it.
pub struct Source<T: AsFd> {
    io: T,
    slot: usize,
    readiness: Rc<Readiness>,
    reactor: Reactor,
}

impl<T: AsFd> Source<T> {
    pub(crate) fn new(io: T, slot: usize, readiness: Rc<Readiness>, reactor: Reactor) -> Self {
        Self {
            io,
            slot,
            readiness,
            reactor,
        }
    }

    /// The object itself.
    pub fn io(&self) -> &T {
        &self.io
    }

    /// Tries `operation` when the descriptor may be ready for it, until it succeeds, fails, or would block; then the task is woken
    /// when it may go on.
    pub fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let state = match direction {
            Direction::Read => &self.readiness.read,
            Direction::Write => &self.readiness.write,
        };
        while state.ready.get() {
            match operation(self.io()) {
                // No edge can get lost in between: edges are collected on this same thread, later.
                Err(error) if error.kind() == ErrorKind::WouldBlock => state.ready.set(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
        state.waiters.borrow_mut().register(cx.waker());
        Poll::Pending
    }
}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        self.reactor.forget(&self.io, self.slot);
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("io", &self.io).finish()
    }
}
