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
    /// The other end is gone, or there was an error: no further edge may come to tell of it.
    ended: Cell<bool>,
    waiters: RefCell<Waiters>,
}

impl DirectionState {
    pub(crate) fn set(&self) {
        self.ready.set(true);
        self.waiters.borrow_mut().wake_all();
    }

    pub(crate) fn end(&self) {
        self.ended.set(true);
        self.set();
    }
}

/// How it is found out that something can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Writes {
    /// The kernel tells.
    Watched,
    /// By trying; the kernel does not tell.
    Tried,
}

/// A watched descriptor. Dropping it ends the watch and closes it.
pub struct Source<T: AsFd> {
    io: T,
    slot: usize,
    readiness: Rc<Readiness>,
    reactor: Reactor,
    /// How writes are meant to be watched, and how they are now.
    usually: Writes,
    now: Cell<Writes>,
}

impl<T: AsFd> Source<T> {
    pub(crate) fn new(
        io: T,
        slot: usize,
        readiness: Rc<Readiness>,
        reactor: Reactor,
        writes: Writes,
    ) -> Self {
        Self {
            io,
            slot,
            readiness,
            reactor,
            usually: writes,
            now: Cell::new(writes),
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
        let state = self.state(direction);
        while state.ready.get() {
            match operation(self.io()) {
                // No edge can get lost in between: edges are collected on this same thread, later.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.ready.set(false);
                    if direction == Direction::Write {
                        self.watch_writes(Writes::Watched)?;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => {
                    if direction == Direction::Write {
                        self.watch_writes(self.usually)?;
                    }
                    return Poll::Ready(done);
                }
            }
        }
        state.waiters.borrow_mut().register(cx.waker());
        Poll::Pending
    }

    /// The last operation did less than it was asked for, so the next one would block: nothing is tried before the next edge. For streams,
    /// where it saves the operation that finds that out (epoll(7)).
    pub fn used_up(&self, direction: Direction) {
        let state = self.state(direction);
        state.ready.set(state.ended.get());
    }

    /// Whether it was registered as a stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.usually == Writes::Tried
    }

    fn watch_writes(&self, writes: Writes) -> io::Result<()> {
        if self.now.replace(writes) != writes {
            self.reactor.watch(&self.io, self.slot, writes)?;
        }
        Ok(())
    }

    fn state(&self, direction: Direction) -> &DirectionState {
        match direction {
            Direction::Read => &self.readiness.read,
            Direction::Write => &self.readiness.write,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::Waker;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    /// A watched stream and its other end.
    fn pair(reactor: &Reactor) -> (Source<UnixStream>, UnixStream) {
        let (inside, outside) = UnixStream::pair().unwrap();
        inside.set_nonblocking(true).unwrap();
        (reactor.register(inside).unwrap(), outside)
    }

    /// Tries to read more than there is: how much came, and whether it was tried at all.
    fn read(source: &Source<UnixStream>) -> (Option<usize>, bool) {
        let mut tried = false;
        let mut cx = Context::from_waker(Waker::noop());
        let read = source.poll_io(Direction::Read, &mut cx, |mut io| {
            tried = true;
            io.read(&mut [0; 64])
        });
        match read {
            Poll::Ready(done) => (Some(done.unwrap()), tried),
            Poll::Pending => (None, tried),
        }
    }

    #[test]
    fn what_is_used_up_is_not_tried_before_the_next_edge() {
        let (_waker, wake) = UnixStream::pair().unwrap();
        let reactor = Reactor::new(&wake).unwrap();
        let (source, mut outside) = pair(&reactor);
        for round in 1..4 {
            outside.write_all(&vec![1; round]).unwrap();
            reactor.wait(None);
            assert_eq!(read(&source), (Some(round), true));
            source.used_up(Direction::Read);
            assert_eq!(read(&source), (None, false));
        }
        // An edge that came before is not forgotten for one that is looked for after.
        outside.write_all(b"more").unwrap();
        source.used_up(Direction::Read);
        reactor.wait(None);
        assert_eq!(read(&source), (Some(4), true));
    }

    #[test]
    fn a_stream_is_written_to_at_once_and_watched_only_while_it_is_full() {
        let (_waker, wake) = UnixStream::pair().unwrap();
        let reactor = Reactor::new(&wake).unwrap();
        let (inside, mut outside) = UnixStream::pair().unwrap();
        inside.set_nonblocking(true).unwrap();
        let source = reactor.register_stream(inside).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let mut write = || source.poll_io(Direction::Write, &mut cx, |mut io| io.write(&[0; 4096]));
        for _ in 0..2 {
            let mut written = 0;
            while let Poll::Ready(len) = write() {
                written += len.unwrap();
            }
            assert!(written > 0);
            // The other end reads, and that is told.
            outside.read_exact(&mut vec![0; written]).unwrap();
            reactor.wait(None);
            assert!(write().is_ready());
            outside.read_exact(&mut [0; 4096]).unwrap();
        }
        // It is not told any longer.
        reactor.collect();
        assert_eq!(source.now.get(), Writes::Tried);
    }

    #[test]
    fn an_end_that_came_with_the_last_bytes_is_found() {
        let (_waker, wake) = UnixStream::pair().unwrap();
        let reactor = Reactor::new(&wake).unwrap();
        let (source, mut outside) = pair(&reactor);
        outside.write_all(b"last").unwrap();
        drop(outside);
        reactor.wait(None);
        assert_eq!(read(&source), (Some(4), true));
        source.used_up(Direction::Read);
        assert_eq!(read(&source), (Some(0), true));
    }
}
