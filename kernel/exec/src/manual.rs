//! A clock that stands still until it is told otherwise, for tests and simulations.

use alloc::rc::Rc;
use core::cell::Cell;

use morgana_hal::{Clock, Idle, Instant, WallTime};

/// A clock that its owner sets. Clones show the same time. The time of day is that of 2000-01-01 plus the monotonic time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Rc<Cell<Instant>>);

/// 2000-01-01T00:00:00Z, in seconds since the Unix epoch.
const YEAR_2000: u64 = 946_684_800;

impl ManualClock {
    /// Sets the time.
    pub fn set(&self, now: Instant) {
        self.0.set(now);
    }

    /// An [`Idle`] for it: sleeping jumps straight to the deadline.
    pub fn idle(&self) -> ManualIdle {
        ManualIdle(self.clone())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.0.get()
    }

    fn wall(&self) -> WallTime {
        WallTime::from_unix_nanos(YEAR_2000 * 1_000_000_000 + self.now().as_nanos())
    }
}

/// Sleeps by moving a [`ManualClock`].
#[derive(Clone, Debug)]
pub struct ManualIdle(ManualClock);

impl Idle for ManualIdle {
    fn dispatch(&mut self) -> usize {
        0
    }

    /// # Panics
    ///
    /// If there is no deadline: nothing could ever happen again, which in a test is a deadlock.
    fn wait(&mut self, deadline: Option<Instant>) {
        let deadline =
            deadline.expect("every task waits for something that no task and no timer will bring");
        self.0.set(deadline.max(self.0.now()));
    }
}
