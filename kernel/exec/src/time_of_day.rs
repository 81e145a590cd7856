//! The time of day, for what asks for it often.

use alloc::boxed::Box;
use core::cell::Cell;
use core::fmt;
use core::time::Duration;

use morgana_hal::{Clock, Instant, Platform, WallTime};

use crate::Timers;

/// How long what the platform's clock has said is counted on from, before it is asked again.
const TRUSTED: Duration = Duration::from_secs(1);

/// The time of day by the time of the run loop, which costs no reading of a clock. It follows a jump of the host's clock within a second.
pub struct TimeOfDay {
    timers: Timers,
    ask: Box<dyn Fn() -> WallTime>,
    /// What was said last, and when.
    known: Cell<Option<(Instant, WallTime)>>,
}

impl TimeOfDay {
    /// The time of day that `platform` tells.
    pub fn new<P: Platform>(platform: P, timers: Timers) -> Self {
        Self::asking(timers, move || platform.clock().wall())
    }

    fn asking(timers: Timers, ask: impl Fn() -> WallTime + 'static) -> Self {
        Self {
            timers,
            ask: Box::new(ask),
            known: Cell::new(None),
        }
    }

    /// The time at which the current pass of the run loop began, or a few passes before.
    pub fn now(&self) -> WallTime {
        let now = self.timers.now();
        if let Some((at, told)) = self.known.get()
            && now.since(at) < TRUSTED
        {
            let passed = now.as_nanos().saturating_sub(at.as_nanos());
            return WallTime::from_unix_nanos(told.unix_nanos().saturating_add(passed));
        }
        let told = (self.ask)();
        self.known.set(Some((now, told)));
        told
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeOfDay").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::rc::Rc;

    use super::*;

    #[test]
    fn it_goes_on_with_the_run_loop_and_follows_a_jump_within_a_second() {
        let timers = Timers::default();
        let (host, asked) = (Rc::new(Cell::new(1_000_000)), Rc::new(Cell::new(0)));
        let time = TimeOfDay::asking(timers.clone(), {
            let (host, asked) = (host.clone(), asked.clone());
            move || {
                asked.set(asked.get() + 1);
                WallTime::from_unix_nanos(host.get())
            }
        });
        assert_eq!(time.now().unix_nanos(), 1_000_000);
        timers.advance(Instant::from_nanos(500));
        host.set(7_000_000);
        assert_eq!((time.now().unix_nanos(), asked.get()), (1_000_500, 1));
        timers.advance(Instant::from_nanos(1_000_000_000));
        assert_eq!((time.now().unix_nanos(), asked.get()), (7_000_000, 2));
    }
}
