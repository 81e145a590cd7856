//! How an event reaches a domain: two levels of pending bits, and an eventfd to wake its thread.

use std::os::fd::{BorrowedFd, OwnedFd};

use morgana_hal::{Instant, Port};
use rustix::io;

use crate::doorbell::Doorbell;
use crate::event_page::EventPage;
use crate::event_words::{EventWords, WORDS};
use crate::sync::{Ordering, fence};

/// What a domain's thread and those who wake it share.
///
/// No wake is lost: the sleeper raises `sleeping` and then looks at the reasons to wake; a sender sets a reason and then looks at
/// `sleeping`. Each has a sequentially consistent fence in between, so at least one of the two sees what the other has set. The models
/// of this crate's tests go through all orders.
#[derive(Debug)]
pub(crate) struct Upcall {
    words: EventPage,
    wake: Doorbell,
}

impl Upcall {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            words: EventPage::new()?,
            wake: Doorbell::new()?,
        })
    }

    /// The one that another process has made, by its two descriptors.
    pub(crate) fn attach(page: OwnedFd, wake: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            words: EventPage::attach(page)?,
            wake: Doorbell::attach(wake),
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
        self.kick_sleeper();
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
        self.wake.ring();
    }

    /// Makes the domain's thread look at what was set just now, unless it will do so anyway before it sleeps.
    fn kick_sleeper(&self) {
        fence(Ordering::SeqCst);
        if self.words().sleeping.load(Ordering::SeqCst) != 0 {
            self.kick();
        }
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
        // A sleeper sleeps until then at the most, so it must think again.
        self.kick_sleeper();
    }

    /// When the next late event is due.
    pub(crate) fn next_late(&self) -> Option<Instant> {
        let due = Instant::from_nanos(self.words().late.load(Ordering::SeqCst));
        (due != Instant::FAR_FUTURE).then_some(due)
    }

    /// Lets the domain's thread sleep, by means of `wait`, unless there is a reason to be awake. `wait` is given the time at which the next
    /// late event is due; it is to return by then, and when the [`descriptor`](Self::descriptor) is readable.
    pub(crate) fn sleep(&self, wait: impl FnOnce(Option<Instant>)) {
        self.words().sleeping.store(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if !self.has_pending() && !self.is_dead() {
            wait(self.next_late());
        }
        self.words().sleeping.store(0, Ordering::SeqCst);
    }

    /// Readable after a [`kick`](Self::kick).
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.descriptor()
    }

    /// Waits until the next kick.
    #[cfg(all(test, loom))]
    pub(crate) fn wait(&self) {
        self.wake.wait();
    }

    /// Makes the descriptor unreadable until the next kick.
    pub(crate) fn drain(&self) {
        self.wake.drain();
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

#[cfg(all(test, not(loom)))]
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
        let mut slept = 0;
        upcall.sleep(|_| slept += 1);
        upcall.raise(Port::new(5));
        upcall.sleep(|_| slept += 1);
        assert_eq!(slept, 1);
    }
}
