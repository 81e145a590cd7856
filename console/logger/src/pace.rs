//! How fast a domain may send: each byte takes its time, and a domain may be ahead of that by a burst.

use core::time::Duration;

use morgana_hal::Instant;

use crate::Rate;

/// How far one domain is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    rate: Rate,
    /// When what was sent so far would all have been sent at the rate.
    even: Instant,
}

impl Pace {
    pub(crate) const fn new(rate: Rate) -> Self {
        Self {
            rate,
            even: Instant::ZERO,
        }
    }

    /// So many bytes were sent. For how long nothing may come behind them.
    pub(crate) fn take(&mut self, now: Instant, bytes: usize) -> Option<Duration> {
        if self.rate.bytes_a_second == 0 {
            return None;
        }
        self.even = self.even.max(now) + self.time(bytes as u64);
        let ahead = self.even.since(now);
        ahead
            .checked_sub(self.time(self.rate.burst.into()))
            .filter(|wait| !wait.is_zero())
    }

    /// Whether it is as if nothing had ever been sent.
    pub(crate) fn is_rested(&self, now: Instant) -> bool {
        self.even <= now
    }

    /// The time that so many bytes take.
    fn time(&self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate.bytes_a_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_comes_behind_it_has_the_rate() {
        let rate = Rate {
            bytes_a_second: 1000,
            burst: 500,
        };
        let mut pace = Pace::new(rate);
        let mut now = Instant::from_nanos(7);
        assert_eq!(pace.take(now, 500), None);
        let mut bytes = 0;
        while now < Instant::from_nanos(10_000_000_007) {
            bytes += 10;
            if let Some(wait) = pace.take(now, 10) {
                now = now + wait;
            }
        }
        assert_eq!(bytes, 10_000);
        assert!(!pace.is_rested(now));
        now = now + Duration::from_secs(1);
        assert!(pace.is_rested(now));
        assert_eq!(pace.take(now, 500), None);
        assert!(pace.take(now, 1).is_some());
        let mut free = Pace::new(Rate {
            bytes_a_second: 0,
            burst: 0,
        });
        assert_eq!(free.take(now, usize::MAX), None);
    }
}
