//! The host's descriptors, as things that a domain's tasks can wait for.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use morgana_exec::Waiters;
use rustix::event::Timespec;
use rustix::event::epoll;

use crate::upcall::Upcall;

/// How many descriptors are looked at in one go; more are found at the next.
const BATCH: usize = 128;
/// The token of the domain's own eventfd.
const UPCALL: u64 = u64::MAX;

/// Watches descriptors for the tasks of one domain, on its thread. Cheap to clone.
#[derive(Clone)]
pub struct Reactor(Rc<Inner>);

struct Inner {
    epoll: OwnedFd,
    upcall: Arc<Upcall>,
    sources: RefCell<Sources>,
    /// What [`Reactor::wait`] has just collected, [`Reactor::collect`] need not look for again.
    collected: Cell<bool>,
    events: RefCell<Vec<epoll::Event>>,
}

#[derive(Debug, Default)]
struct Sources {
    slots: Vec<Option<Rc<Readiness>>>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Readiness {
    read: DirectionState,
    write: DirectionState,
}

#[derive(Debug, Default)]
struct DirectionState {
    ready: Cell<bool>,
    waiters: RefCell<Waiters>,
}

impl DirectionState {
    fn set(&self) {
        self.ready.set(true);
        self.waiters.borrow_mut().wake_all();
    }
}

/// What a task wants to do with a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Read, or accept.
    Read,
    /// Write, or finish connecting.
    Write,
}

impl Reactor {
    pub(crate) fn new(upcall: Arc<Upcall>) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let token = epoll::EventData::new_u64(UPCALL);
        epoll::add(&epoll, upcall.descriptor(), token, epoll::EventFlags::IN)?;
        Ok(Self(Rc::new(Inner {
            epoll,
            upcall,
            sources: RefCell::default(),
            collected: Cell::new(false),
            events: RefCell::new(Vec::with_capacity(BATCH)),
        })))
    }

    /// Watches `io`, which is to be non-blocking.
    ///
    /// # Errors
    ///
    /// The host's, if it cannot watch the descriptor.
    pub fn register<T: AsFd>(&self, io: T) -> io::Result<Source<T>> {
        let readiness = Rc::new(Readiness::default());
        let mut sources = self.0.sources.borrow_mut();
        let slot = match sources.free.last() {
            Some(&slot) => slot,
            None => sources.slots.len(),
        };
        // Edges only: what is ready stays noted in `Readiness` until an operation would block.
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        let token = epoll::EventData::new_u64(slot as u64);
        epoll::add(&self.0.epoll, &io, token, flags)?;
        if sources.free.pop().is_none() {
            sources.slots.push(None);
        }
        sources.slots[slot] = Some(readiness.clone());
        Ok(Source {
            io,
            slot,
            readiness,
            reactor: self.clone(),
        })
    }

    /// How many descriptors are watched.
    pub fn sources(&self) -> usize {
        let sources = self.0.sources.borrow();
        sources.slots.len() - sources.free.len()
    }

    /// Notes what is ready now, without waiting.
    pub(crate) fn collect(&self) {
        if !self.0.collected.take() && self.sources() > 0 {
            self.poll_epoll(Some(Duration::ZERO));
        }
    }

    /// Waits until something is ready, the domain is woken, or the time is over.
    pub(crate) fn wait(&self, timeout: Option<Duration>) {
        self.poll_epoll(timeout);
        self.0.collected.set(true);
    }

    fn poll_epoll(&self, timeout: Option<Duration>) {
        let timeout = timeout.map(timespec);
        let mut events = self.0.events.borrow_mut();
        events.clear();
        let buffer = rustix::buffer::spare_capacity(&mut events);
        // An interruption by a signal is a return for no reason, as `Idle::wait` allows; no other error can be.
        if epoll::wait(&self.0.epoll, buffer, timeout.as_ref()).is_err() {
            return;
        }
        let sources = self.0.sources.borrow();
        for event in events.iter() {
            let (data, flags) = (event.data, event.flags);
            if data.u64() == UPCALL {
                self.0.upcall.drain();
                continue;
            }
            let Some(Some(readiness)) = sources.slots.get(data.u64() as usize) else {
                continue;
            };
            let gone = epoll::EventFlags::ERR | epoll::EventFlags::HUP;
            if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP | gone) {
                readiness.read.set();
            }
            if flags.intersects(epoll::EventFlags::OUT | gone) {
                readiness.write.set();
            }
        }
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("sources", &self.sources())
            .finish()
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
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
        // It was added, and is still open.
        let _ = epoll::delete(&self.reactor.0.epoll, &self.io);
        let mut sources = self.reactor.0.sources.borrow_mut();
        sources.slots[self.slot] = None;
        sources.free.push(self.slot);
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("io", &self.io).finish()
    }
}
