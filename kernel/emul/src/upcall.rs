//! How an event reaches a domain: two levels of pending bits, and an eventfd to wake its thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use morgana_hal::{Instant, Port};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io;

use crate::ports::MAX_PORTS;

const WORDS: usize = (MAX_PORTS / 64) as usize;

/// What a domain's thread and those who wake it share.
///
/// No wake is lost: the sleeper raises `sleeping` and then looks at `selector`; a sender sets `selector` and then looks at `sleeping`.
/// All four are sequentially consistent, so at least one of the two sees the other.
#[derive(Debug)]
pub(crate) struct Upcall {
    /// A bit for each word of `pending` that may have bits set (xen.h, `vcpu_info.evtchn_pending_sel`).
    selector: AtomicU64,
    /// A bit for each port (xen.h, `shared_info.evtchn_pending`).
    pending: [AtomicU64; WORDS],
    sleeping: AtomicBool,
    dead: AtomicBool,
    /// When the next late event is due, in nanoseconds; `u64::MAX` if there is none.
    late: AtomicU64,
    wake: OwnedFd,
}

impl Upcall {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            selector: AtomicU64::new(0),
            pending: [const { AtomicU64::new(0) }; WORDS],
            sleeping: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            late: AtomicU64::new(u64::MAX),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    /// Marks `port` as pending and wakes the domain.
    pub(crate) fn raise(&self, port: Port) {
        let (word, bit) = place(port);
        self.pending[word].fetch_or(1 << bit, Ordering::SeqCst);
        self.selector.fetch_or(1 << word, Ordering::SeqCst);
        if self.sleeping.load(Ordering::SeqCst) {
            self.kick();
        }
    }

    /// Forgets a pending event: the port is closed.
    pub(crate) fn clear(&self, port: Port) {
        let (word, bit) = place(port);
        self.pending[word].fetch_and(!(1 << bit), Ordering::SeqCst);
    }

    /// Makes the domain's thread look around, for whatever reason.
    pub(crate) fn kick(&self) {
        // The counter is full at 2^64 - 2; then the descriptor is readable already, which is all that is wanted.
        let _ = io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Takes all pending bits, and names their ports.
    pub(crate) fn take_pending(&self, mut each: impl FnMut(Port)) {
        let mut words = self.selector.swap(0, Ordering::SeqCst);
        while words != 0 {
            let word = words.trailing_zeros();
            words &= words - 1;
            let mut bits = self.pending[word as usize].swap(0, Ordering::SeqCst);
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                each(Port::new(word * 64 + bit));
            }
        }
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.selector.load(Ordering::SeqCst) != 0
    }

    /// Says when the next late event is due.
    pub(crate) fn set_late(&self, due: Option<Instant>) {
        let due = due.unwrap_or(Instant::FAR_FUTURE).as_nanos();
        self.late.store(due, Ordering::SeqCst);
        if self.sleeping.load(Ordering::SeqCst) {
            // It sleeps until then at the most, so it must think again.
            self.kick();
        }
    }

    /// When the next late event is due. To be asked after [`begin_sleep`](Self::begin_sleep), which is then as safe from missing
    /// one as it is for events.
    pub(crate) fn next_late(&self) -> Option<Instant> {
        let due = Instant::from_nanos(self.late.load(Ordering::SeqCst));
        (due != Instant::FAR_FUTURE).then_some(due)
    }

    /// Announces that the thread is about to sleep. Whether it may.
    pub(crate) fn begin_sleep(&self) -> bool {
        self.sleeping.store(true, Ordering::SeqCst);
        if self.has_pending() || self.is_dead() {
            self.end_sleep();
            return false;
        }
        true
    }

    pub(crate) fn end_sleep(&self) {
        self.sleeping.store(false, Ordering::SeqCst);
    }

    /// Readable after a [`kick`](Self::kick).
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Makes the descriptor unreadable until the next kick.
    pub(crate) fn drain(&self) {
        let mut count = [0; 8];
        // Nothing to read is as good as having read it.
        let _ = io::read(&self.wake, &mut count);
    }

    /// The domain was killed; its thread finds out at the next look.
    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.kick();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }
}

/// The word and the bit in it that stand for `port`.
fn place(port: Port) -> (usize, u32) {
    let number = port.number();
    ((number / 64) as usize % WORDS, number % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_bits_are_taken_once_and_in_order() {
        let upcall = Upcall::new().unwrap();
        for number in [4095, 1, 64, 63, 1] {
            upcall.raise(Port::new(number));
        }
        upcall.clear(Port::new(63));
        let mut taken = Vec::new();
        upcall.take_pending(|port| taken.push(port.number()));
        assert_eq!(taken, [1, 64, 4095]);
        assert!(!upcall.has_pending());
        upcall.take_pending(|port| panic!("{port} is not pending"));
    }

    #[test]
    fn a_thread_does_not_sleep_past_a_pending_event() {
        let upcall = Upcall::new().unwrap();
        assert!(upcall.begin_sleep());
        upcall.end_sleep();
        upcall.raise(Port::new(5));
        assert!(!upcall.begin_sleep());
    }
}
