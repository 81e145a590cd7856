//! What happened of late, as a controller wants to know it.

use core::time::Duration;

use morgana_hal::Instant;

use crate::Histogram;

/// Two windows of time, of which the second is being filled: together they hold the last one to two windows.
#[derive(Clone, Debug)]
pub struct Recent {
    window: Duration,
    before: Histogram,
    current: Histogram,
    /// When the older window began, and the newer one.
    since: Instant,
    began: Instant,
}

impl Recent {
    /// Windows of this length, from now on.
    pub fn new(window: Duration, now: Instant) -> Self {
        Self {
            window: window.max(Duration::from_millis(1)),
            before: Histogram::default(),
            current: Histogram::default(),
            since: now,
            began: now,
        }
    }

    /// Counts a duration.
    pub fn record(&mut self, duration: Duration, now: Instant) {
        self.turn(now);
        self.current.record(duration);
    }

    /// What was counted of late, and for how long.
    pub fn read(&mut self, now: Instant) -> (Histogram, Duration) {
        self.turn(now);
        let mut sum = self.before.clone();
        sum.merge(&self.current);
        (sum, now.since(self.since))
    }

    fn turn(&mut self, now: Instant) {
        let age = now.since(self.began);
        if age < self.window {
            return;
        }
        if age < self.window * 2 {
            core::mem::swap(&mut self.before, &mut self.current);
            self.since = self.began;
        } else {
            // Nothing was counted in the whole window before this one.
            self.before.clear();
            self.since = now;
        }
        self.current.clear();
        self.began = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_forgotten() {
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let mut recent = Recent::new(Duration::from_secs(5), at(0));
        recent.record(Duration::from_millis(1), at(1000));
        recent.record(Duration::from_millis(2), at(6000));
        let (both, span) = recent.read(at(7000));
        assert_eq!((both.count(), span), (2, Duration::from_secs(7)));
        let (second, span) = recent.read(at(12_000));
        assert_eq!((second.count(), span), (1, Duration::from_secs(6)));
        assert_eq!(recent.read(at(60_000)).0.count(), 0);
    }
}
