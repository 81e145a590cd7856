//! Timers: sleeping, and giving up after a while.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use morgana_hal::Instant;

use crate::{Either, select};

/// The timers of one executor. Cheap to clone.
#[derive(Clone, Default)]
pub struct Timers {
    queue: Rc<Queue>,
}

#[derive(Default)]
struct Queue {
    now: Cell<Instant>,
    /// By deadline, then by the order of their making.
    waiting: RefCell<BTreeMap<(Instant, u64), Waker>>,
    made: Cell<u64>,
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers")
            .field("now", &self.now())
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl Timers {
    /// The time when the run loop woke, or some passes later if it has had work since.
    pub fn now(&self) -> Instant {
        self.queue.now.get()
    }

    /// How many sleeps are being waited for.
    pub fn waiting(&self) -> usize {
        self.queue.waiting.borrow().len()
    }

    /// Ready at `deadline` or a little later.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            timers: self.clone(),
            deadline,
            key: None,
        }
    }

    /// Ready after `duration`, counted from [`now`](Self::now).
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Lets `future` run for `duration` at the most.
    ///
    /// # Errors
    ///
    /// [`Elapsed`] if it was not ready by then; it is dropped.
    pub async fn timeout<F: Future>(
        &self,
        duration: Duration,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        match select(future, self.sleep(duration)).await {
            Either::First(output) => Ok(output),
            Either::Second(()) => Err(Elapsed),
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.queue.waiting.borrow();
        waiting
            .first_key_value()
            .map(|(&(deadline, _), _)| deadline)
    }

    /// Sets the time and wakes all that is due.
    pub(crate) fn advance(&self, now: Instant) {
        self.queue.now.set(now);
        loop {
            let due = {
                let mut waiting = self.queue.waiting.borrow_mut();
                match waiting.first_entry() {
                    Some(entry) if entry.key().0 <= now => entry.remove(),
                    _ => return,
                }
            };
            due.wake();
        }
    }
}

/// A wait for a point in time; see [`Timers::sleep_until`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    timers: Timers,
    deadline: Instant,
    /// The own entry in the queue, once polled.
    key: Option<(Instant, u64)>,
}

impl Sleep {
    /// When it is ready.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    fn unregister(&mut self) {
        if let Some(key) = self.key.take() {
            self.timers.queue.waiting.borrow_mut().remove(&key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= self.timers.now() {
            self.unregister();
            return Poll::Ready(());
        }
        let queue = self.timers.queue.clone();
        let deadline = self.deadline;
        let key = *self.key.get_or_insert_with(|| {
            let number = queue.made.get();
            queue.made.set(number + 1);
            (deadline, number)
        });
        queue
            .waiting
            .borrow_mut()
            .entry(key)
            .and_modify(|kept| kept.clone_from(cx.waker()))
            .or_insert_with(|| cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unregister();
    }
}

/// The time given to a future has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl core::error::Error for Elapsed {}
