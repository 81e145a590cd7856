//! Wakers that wait for one thing.

use alloc::vec::Vec;
use core::task::Waker;

/// The wakers of all tasks that wait for the same thing. Holds one for each waiting task.
#[derive(Debug, Default)]
pub struct Waiters(Vec<Waker>);

impl Waiters {
    /// An empty set; allocates nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Keeps `waker` until the next [`wake_all`](Self::wake_all), unless the same task waits already.
    pub fn register(&mut self, waker: &Waker) {
        if !self.0.iter().any(|kept| kept.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    /// Wakes and forgets all.
    pub fn wake_all(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }

    /// Forgets all, and wakes none.
    pub fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
