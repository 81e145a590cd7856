//! The ring, and its operations as futures.
//!
//! What all `unsafe` below relies on: a submission's address and length are those of a `Vec`'s initialised bytes, whose heap memory does not move when the
//! `Vec` does; the `Vec` lies in the operation's slot, untouched, until the completion that bears the slot's number has been taken from the
//! ring; and so does the file whose descriptor it names. Only `start` submits, and only `reap` and `Drop` end that.

use core::cell::RefCell;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{IoUring, opcode};
use morgana_exec::Notify;
use morgana_reactor::{Direction, Reactor, Source};
use rustix::event::{EventfdFlags, eventfd};

use crate::slots::{Operation, Slots, State};

/// The most operations under way on one ring.
pub const MAX_ENTRIES: u32 = 4096;

/// An io_uring. Cheap to clone; every clone is the same ring.
#[derive(Clone)]
pub struct Uring(Rc<Inner>);

struct Inner {
    ring: RefCell<IoUring>,
    slots: RefCell<Slots>,
    entries: usize,
    /// Readable when there is a completion.
    event: Source<OwnedFd>,
    /// Tells of free slots.
    room: Notify,
}

impl Uring {
    /// A ring for so many operations under way, 1 to [`MAX_ENTRIES`], whose completions `reactor` watches for.
    ///
    /// # Errors
    ///
    /// The kernel's: it has no io_uring, or forbids it (`kernel.io_uring_disabled`), or has no memory or descriptor left.
    pub fn new(entries: u32, reactor: &Reactor) -> io::Result<Self> {
        let entries = entries.clamp(1, MAX_ENTRIES).next_power_of_two();
        let ring = IoUring::new(entries)?;
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        ring.submitter().register_eventfd(event.as_raw_fd())?;
        Ok(Self(Rc::new(Inner {
            ring: RefCell::new(ring),
            slots: RefCell::default(),
            entries: entries as usize,
            event: reactor.register(event)?,
            room: Notify::new(),
        })))
    }

    /// Reads into all of `buffer` from `offset` on, or as much as there is. The buffer comes back with the number of bytes.
    pub async fn read(
        &self,
        file: &Rc<OwnedFd>,
        mut buffer: Vec<u8>,
        offset: u64,
    ) -> (io::Result<usize>, Vec<u8>) {
        let (address, len) = (buffer.as_mut_ptr(), length(&buffer));
        let entry = opcode::Read::new(descriptor(file), address, len).offset(offset);
        self.run(file, entry.build(), buffer).await
    }

    /// Writes all of `buffer` at `offset`, or as much as finds room. The buffer comes back with the number of bytes.
    pub async fn write(
        &self,
        file: &Rc<OwnedFd>,
        buffer: Vec<u8>,
        offset: u64,
    ) -> (io::Result<usize>, Vec<u8>) {
        let entry = opcode::Write::new(descriptor(file), buffer.as_ptr(), length(&buffer));
        self.run(file, entry.offset(offset).build(), buffer).await
    }

    /// Makes the file's data durable (`fdatasync`).
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub async fn sync_data(&self, file: &Rc<OwnedFd>) -> io::Result<()> {
        let entry = opcode::Fsync::new(descriptor(file)).flags(FsyncFlags::DATASYNC);
        self.run(file, entry.build(), Vec::new()).await.0.map(drop)
    }

    /// Forgets a part of the file, which keeps its size (`fallocate` with `FALLOC_FL_PUNCH_HOLE`); of a block device too.
    ///
    /// # Errors
    ///
    /// The kernel's: not every file system can do this.
    pub async fn punch_hole(&self, file: &Rc<OwnedFd>, offset: u64, len: u64) -> io::Result<()> {
        // linux/falloc.h: FALLOC_FL_KEEP_SIZE 1, FALLOC_FL_PUNCH_HOLE 2.
        let entry = opcode::Fallocate::new(descriptor(file), len).offset(offset);
        let entry = entry.mode(1 | 2).build();
        self.run(file, entry, Vec::new()).await.0.map(drop)
    }

    /// How many operations are under way.
    pub fn in_flight(&self) -> usize {
        self.0.slots.borrow().len()
    }

    /// Runs one operation, whose entry may point to `buffer`'s bytes and names `file`.
    async fn run(
        &self,
        file: &Rc<OwnedFd>,
        entry: Entry,
        buffer: Vec<u8>,
    ) -> (io::Result<usize>, Vec<u8>) {
        while self.0.slots.borrow().len() >= self.0.entries {
            let seen = self.0.room.count();
            poll_fn(|cx| {
                self.0.reap();
                if self.0.slots.borrow().len() < self.0.entries {
                    return Poll::Ready(());
                }
                let _ = self.0.poll_event(cx);
                self.0.room.poll_after(seen, cx).map(|_| ())
            })
            .await;
        }
        let slot = match self.0.start(file, entry, buffer) {
            Ok(slot) => slot,
            Err((error, buffer)) => return (Err(error), buffer),
        };
        let running = Running {
            ring: &self.0,
            slot,
        };
        let done = poll_fn(|cx| running.ring.poll_done(slot, cx)).await;
        core::mem::forget(running);
        done
    }
}

impl Inner {
    /// Submits an operation; its buffer is the slot's from here on.
    fn start(
        &self,
        file: &Rc<OwnedFd>,
        entry: Entry,
        buffer: Vec<u8>,
    ) -> Result<usize, (io::Error, Vec<u8>)> {
        let slot = self.slots.borrow_mut().insert(Operation {
            buffer,
            _file: file.clone(),
            state: State::Running(None),
        });
        let entry = entry.user_data(slot as u64);
        let mut ring = self.ring.borrow_mut();
        // SAFETY: the entry's memory, if it has any, is the buffer's, which has just moved into the slot (moving a Vec does not move its
        // bytes), and its descriptor is that of the file in the slot; both stay there until the completion (see the module).
        let pushed = unsafe { ring.submission().push(&entry) };
        if pushed.is_err() {
            // There are as many entries as slots, and each is handed to the kernel at once: it cannot be full.
            drop(ring);
            return Err((ErrorKind::WouldBlock.into(), self.take(slot)));
        }
        loop {
            match ring.submit() {
                Ok(_) => return Ok(slot),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The entry is in the queue and goes to the kernel with a later one, so it is under way all the same.
                Err(_) => return Ok(slot),
            }
        }
    }

    /// Takes in the completions that there are.
    fn reap(&self) {
        let mut ring = self.ring.borrow_mut();
        let mut slots = self.slots.borrow_mut();
        // What could not be handed over before.
        if !ring.submission().is_empty() {
            let _ = ring.submit();
        }
        for completion in ring.completion() {
            // The kernel gives back what it was given.
            let slot = completion.user_data() as usize;
            let Some(operation) = slots.get_mut(slot) else {
                continue;
            };
            match core::mem::replace(&mut operation.state, State::Done(completion.result())) {
                State::Running(waker) => {
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
                State::Abandoned | State::Done(_) => {
                    slots.remove(slot);
                    self.room.notify();
                }
            }
        }
    }

    fn poll_done(&self, slot: usize, cx: &mut Context<'_>) -> Poll<(io::Result<usize>, Vec<u8>)> {
        loop {
            self.reap();
            let mut slots = self.slots.borrow_mut();
            match slots.get_mut(slot).map(|operation| &mut operation.state) {
                Some(State::Running(waker)) => *waker = Some(cx.waker().clone()),
                Some(State::Done(result)) => {
                    let result = *result;
                    drop(slots);
                    return Poll::Ready((outcome(result), self.take(slot)));
                }
                Some(State::Abandoned) | None => {
                    let gone = io::Error::from(ErrorKind::NotFound);
                    return Poll::Ready((Err(gone), Vec::new()));
                }
            }
            drop(slots);
            if self.poll_event(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Ready if the kernel has told of a completion since this was asked last.
    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut count = [0; 8];
        self.event
            .poll_io(Direction::Read, cx, |event| {
                Ok(rustix::io::read(event, &mut count)?)
            })
            .map(|_| ())
    }

    /// Takes a buffer out of a slot that the kernel is done with, or has never seen.
    fn take(&self, slot: usize) -> Vec<u8> {
        let operation = self.slots.borrow_mut().remove(slot);
        self.room.notify();
        operation.map_or(Vec::new(), |operation| operation.buffer)
    }
}

/// An operation that somebody waits for. Dropping it lets the operation run on its own.
struct Running<'a> {
    ring: &'a Inner,
    slot: usize,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut slots = self.ring.slots.borrow_mut();
        let Some(operation) = slots.get_mut(self.slot) else {
            return;
        };
        if let State::Done(_) = operation.state {
            slots.remove(self.slot);
            self.ring.room.notify();
        } else {
            operation.state = State::Abandoned;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        while self.slots.get_mut().len() > 0 {
            let waited = self.ring.get_mut().submit_and_wait(1);
            match waited {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    // The kernel may still use the buffers, so they must not be freed.
                    core::mem::forget(self.slots.get_mut().take_all());
                    return;
                }
                _ => {}
            }
            // No future is left, so whatever completes is nobody's.
            let slots = self.slots.get_mut();
            for completion in self.ring.get_mut().completion() {
                slots.remove(completion.user_data() as usize);
            }
        }
    }
}

impl fmt::Debug for Uring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uring")
            .field("entries", &self.0.entries)
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// A result as the kernel writes it: a count, or an error's number negated.
pub(crate) fn outcome(result: i32) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(result.wrapping_neg()))
}

fn descriptor(file: &Rc<OwnedFd>) -> Fd {
    Fd(file.as_raw_fd())
}

/// A longer buffer is used in part only.
fn length(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}
