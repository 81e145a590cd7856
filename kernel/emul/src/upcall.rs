//! How an event reaches a domain: two levels of pending bits, and an eventfd to wake its thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use morgana_hal::{Instant, Port};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io;

use crate::event_page::{EventPage, EventWords, WORDS};

/// What a domain's thread and those who wake it share.
///
/// No wake is lost: the sleeper raises `sleeping` and then looks at `selector`; a sender sets `selector` and then looks at `sleeping`.
/// All four are sequentially consistent, so at least one of the two sees the other.
#[derive(Debug)]
pub(crate) struct Upcall {
    words: EventPage,
    wake: OwnedFd,
}

impl Upcall {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            words: EventPage::new()?,
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    /// The one that another process has made, by its two descriptors.
    pub(crate) fn attach(page: OwnedFd, wake: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            words: EventPage::attach(page)?,
            wake,
        })
    }

    /// The page to map in another process.
    pub(crate) fn page(&self) -> BorrowedFd<'_> {
        self.words.fd()
    }

    /// Marks `port` as pending and wakes the domain.
    pub(crate) fn raise(&self, port: Port) {
        let (word, bit) = place(port);
        self.words().pending[word].fetch_or(1 << bit, Ordering::SeqCst);
        self.words().selector.fetch_or(1 << word, Ordering::SeqCst);
        if self.words().sleeping.load(Ordering::SeqCst) != 0 {
            self.kick();
        }
    }

    /// Forgets a pending event: the port is closed.
    pub(crate) fn clear(&self, port: Port) {
        let (word, bit) = place(port);
        self.words().pending[word].fetch_and(!(1 << bit), Ordering::SeqCst);
    }

    fn words(&self) -> &EventWords {
        self.words.words()
    }

    /// Makes the domain's thread look around, for whatever reason.
    pub(crate) fn kick(&self) {
        // The counter is full at 2^64 - 2; then the descriptor is readable already, which is all that is wanted.
        let _ = io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Takes all pending bits, and names their ports.
    pub(crate) fn take_pending(&self, mut each: impl FnMut(Port)) {
        let mut words = self.words().selector.swap(0, Ordering::SeqCst);
        while words != 0 {
            let word = words.trailing_zeros();
            words &= words - 1;
            let mut bits = self.words().pending[word as usize].swap(0, Ordering::SeqCst);
            while bits != 0 {
                let bit = bits.trailing_zeros();
                bits &= bits - 1;
                each(Port::new(word * 64 + bit));
            }
        }
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.words().selector.load(Ordering::SeqCst) != 0
    }

    /// Says when the next late event is due.
    pub(crate) fn set_late(&self, due: Option<Instant>) {
        let due = due.unwrap_or(Instant::FAR_FUTURE).as_nanos();
        self.words().late.store(due, Ordering::SeqCst);
        if self.words().sleeping.load(Ordering::SeqCst) != 0 {
            // It sleeps until then at the most, so it must think again.
            self.kick();
        }
    }

    /// When the next late event is due. To be asked after [`begin_sleep`](Self::begin_sleep), which is then as safe from missing
    /// one as it is for events.
    pub(crate) fn next_late(&self) -> Option<Instant> {
        let due = Instant::from_nanos(self.words().late.load(Ordering::SeqCst));
        (due != Instant::FAR_FUTURE).then_some(due)
    }

    /// Announces that the thread is about to sleep. Whether it may.
    pub(crate) fn begin_sleep(&self) -> bool {
        self.words().sleeping.store(1, Ordering::SeqCst);
        if self.has_pending() || self.is_dead() {
            self.end_sleep();
            return false;
        }
        true
    }

    pub(crate) fn end_sleep(&self) {
        self.words().sleeping.store(0, Ordering::SeqCst);
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
        self.words().dead.store(1, Ordering::SeqCst);
        self.kick();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.words().dead.load(Ordering::SeqCst) != 0
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
