//! The epoll instance.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::event::Timespec;
use rustix::event::epoll;

use crate::source::{Readiness, Source, Writes};

/// How many descriptors are looked at in one go; more are found at the next.
const BATCH: usize = 128;
/// The token of the wake descriptor.
const WAKE: u64 = u64::MAX;

/// Watches descriptors for the tasks of one domain, on its thread. Cheap to clone.
#[derive(Clone)]
pub struct Reactor(Rc<Inner>);

struct Inner {
    epoll: OwnedFd,
    sources: RefCell<Sources>,
    /// The wake descriptor was readable, and nobody has asked yet.
    woken: Cell<bool>,
    /// What [`Reactor::wait`] has just collected, [`Reactor::collect`] need not look for again.
    collected: Cell<bool>,
    events: RefCell<Vec<epoll::Event>>,
}

#[derive(Debug, Default)]
struct Sources {
    slots: Vec<Option<Rc<Readiness>>>,
    free: Vec<usize>,
}

/// A platform inside a Linux process.
pub trait HasReactor {
    /// What watches the process's descriptors for the tasks of this domain.
    fn reactor(&self) -> &Reactor;
}

impl Reactor {
    /// A reactor that also wakes when `wake` is readable, for as long as it is. `wake` is to stay open as long as the reactor is used.
    ///
    /// # Errors
    ///
    /// The kernel's, if there is no descriptor left.
    pub fn new(wake: impl AsFd) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let token = epoll::EventData::new_u64(WAKE);
        epoll::add(&epoll, wake, token, epoll::EventFlags::IN)?;
        Ok(Self(Rc::new(Inner {
            epoll,
            sources: RefCell::default(),
            woken: Cell::new(false),
            collected: Cell::new(false),
            events: RefCell::new(Vec::with_capacity(BATCH)),
        })))
    }

    /// Watches `io`, which is to be non-blocking.
    ///
    /// # Errors
    ///
    /// The kernel's, if it cannot watch the descriptor: it cannot for a plain file.
    pub fn register<T: AsFd>(&self, io: T) -> io::Result<Source<T>> {
        self.register_for(io, Writes::Watched)
    }

    /// Watches a connected stream to which there is nearly always something to be written at once: only once a write would block the kernel is asked
    /// to tell when it no longer does. Otherwise it would tell each time that the other end reads.
    ///
    /// # Errors
    ///
    /// As for [`register`](Self::register).
    pub fn register_stream<T: AsFd>(&self, io: T) -> io::Result<Source<T>> {
        self.register_for(io, Writes::Tried)
    }

    fn register_for<T: AsFd>(&self, io: T, writes: Writes) -> io::Result<Source<T>> {
        let readiness = Rc::new(Readiness::default());
        if writes == Writes::Tried {
            readiness.write.set();
        }
        let mut sources = self.0.sources.borrow_mut();
        let slot = match sources.free.last() {
            Some(&slot) => slot,
            None => sources.slots.len(),
        };
        let token = epoll::EventData::new_u64(slot as u64);
        epoll::add(&self.0.epoll, &io, token, flags(writes))?;
        if sources.free.pop().is_none() {
            sources.slots.push(None);
        }
        sources.slots[slot] = Some(readiness.clone());
        drop(sources);
        Ok(Source::new(io, slot, readiness, self.clone(), writes))
    }

    /// Watches a registered descriptor in another way. What is ready now is told of again.
    pub(crate) fn watch(&self, io: impl AsFd, slot: usize, writes: Writes) -> io::Result<()> {
        let token = epoll::EventData::new_u64(slot as u64);
        Ok(epoll::modify(&self.0.epoll, io, token, flags(writes))?)
    }

    /// Ends the watch of a registered descriptor.
    pub(crate) fn forget(&self, io: impl AsFd, slot: usize) {
        // It was added, and is still open.
        let _ = epoll::delete(&self.0.epoll, io);
        let mut sources = self.0.sources.borrow_mut();
        sources.slots[slot] = None;
        sources.free.push(slot);
    }

    /// How many descriptors are watched.
    pub fn sources(&self) -> usize {
        let sources = self.0.sources.borrow();
        sources.slots.len() - sources.free.len()
    }

    /// Notes what is ready now, without waiting. For the run loop.
    pub fn collect(&self) {
        if !self.0.collected.take() {
            self.poll_epoll(Some(Duration::ZERO));
        }
    }

    /// Waits until something is ready, the wake descriptor is readable, or the time is over. It may return early for no reason. For the
    /// run loop.
    pub fn wait(&self, timeout: Option<Duration>) {
        self.poll_epoll(timeout);
        self.0.collected.set(true);
    }

    /// Whether the wake descriptor was seen readable since this was asked last. For the run loop.
    pub fn take_woken(&self) -> bool {
        self.0.woken.take()
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
            if data.u64() == WAKE {
                self.0.woken.set(true);
                continue;
            }
            let Some(Some(readiness)) = sources.slots.get(data.u64() as usize) else {
                continue;
            };
            let gone = epoll::EventFlags::ERR | epoll::EventFlags::HUP;
            if flags.intersects(epoll::EventFlags::RDHUP | gone) {
                readiness.read.end();
            } else if flags.contains(epoll::EventFlags::IN) {
                readiness.read.set();
            }
            if flags.intersects(gone) {
                readiness.write.end();
            } else if flags.contains(epoll::EventFlags::OUT) {
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

/// Edges only: what is ready stays noted in `Readiness` until an operation would block.
fn flags(writes: Writes) -> epoll::EventFlags {
    let reads = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
    match writes {
        Writes::Watched => reads | epoll::EventFlags::OUT,
        Writes::Tried => reads,
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
