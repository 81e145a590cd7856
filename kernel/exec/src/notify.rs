//! One task tells others that something has changed.

use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::task::{Context, Poll};

use crate::Waiters;

/// A counter that tasks can wait on, as event channels have one: a change cannot be missed between looking and waiting.
#[derive(Debug, Default)]
pub struct Notify {
    count: Cell<u64>,
    waiters: RefCell<Waiters>,
}

impl Notify {
    /// A counter at zero.
    pub const fn new() -> Self {
        Self {
            count: Cell::new(0),
            waiters: RefCell::new(Waiters::new()),
        }
    }

    /// The count now.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Steps the counter and wakes all who wait.
    pub fn notify(&self) {
        self.count.set(self.count.get().wrapping_add(1));
        self.waiters.borrow_mut().wake_all();
    }

    /// Forgets who waits: for a task that is the only one to wait, and looks again before it gives up control. What it changes itself does not wake
    /// it then.
    pub fn forget(&self) {
        self.waiters.borrow_mut().forget_all();
    }

    /// Ready with the count once it differs from `seen`.
    pub fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        if self.count.get() != seen {
            return Poll::Ready(self.count.get());
        }
        self.waiters.borrow_mut().register(cx.waker());
        Poll::Pending
    }

    /// Waits until the count differs from `seen`, and returns it.
    pub fn after(&self, seen: u64) -> impl Future<Output = u64> + '_ {
        poll_fn(move |cx| self.poll_after(seen, cx))
    }
}
