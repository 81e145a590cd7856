//! How fast a guest may write: a bucket of bytes that fills at a steady rate.

use core::time::Duration;

use morgana_hal::Instant;

/// How fast a guest may write to its console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Bytes a second, in the long run. 0 is no limit.
    pub bytes_a_second: u32,
    /// What a guest that was silent may write at once, in bytes.
    pub burst: u32,
}

impl Default for Rate {
    /// 4 MiB a second, and 4 MiB at once: far more than a guest that is well writes.
    fn default() -> Self {
        Self {
            bytes_a_second: 4 << 20,
            burst: 4 << 20,
        }
    }
}

/// What one guest may still write.
#[derive(Debug)]
pub(crate) struct Meter {
    rate: Rate,
    /// In bytes; below 0 it is owed.
    credit: i64,
    at: Instant,
}

impl Meter {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            credit: i64::from(rate.burst),
            at: now,
        }
    }

    /// Takes so many bytes off, and returns how long nothing may come behind them.
    pub(crate) fn take(&mut self, now: Instant, bytes: usize) -> Option<Duration> {
        if self.rate.bytes_a_second == 0 {
            return None;
        }
        let rate = i128::from(self.rate.bytes_a_second);
        let earned = now.since(self.at).as_nanos() as i128 * rate / NANOS;
        // What is less than a byte stays in the time.
        if earned > 0 {
            self.at = now;
        }
        let credit = i128::from(self.credit) + earned;
        let credit = credit.min(i128::from(self.rate.burst)) - bytes as i128;
        self.credit = i64::try_from(credit).unwrap_or(i64::MIN);
        if credit >= 0 {
            return None;
        }
        let nanos = -credit * NANOS / rate;
        Some(Duration::from_nanos(
            u64::try_from(nanos).unwrap_or(u64::MAX),
        ))
    }
}

const NANOS: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_comes_behind_it_has_the_rate() {
        let rate = Rate {
            bytes_a_second: 1000,
            burst: 500,
        };
        let mut now = Instant::ZERO;
        let mut meter = Meter::new(rate, now);
        assert_eq!(meter.take(now, 500), None);
        let mut bytes = 0;
        while now < Instant::from_nanos(10_000_000_000) {
            bytes += 7;
            if let Some(wait) = meter.take(now, 7) {
                now = now + wait;
            }
        }
        assert!((9_990..=10_010).contains(&bytes), "{bytes}");
        // A rest fills the bucket, and no more than that.
        now = now + Duration::from_secs(3600);
        assert_eq!(meter.take(now, 500), None);
        assert!(meter.take(now, 1).is_some());
    }

    #[test]
    fn no_limit_is_none() {
        let rate = Rate {
            bytes_a_second: 0,
            burst: 0,
        };
        let mut meter = Meter::new(rate, Instant::ZERO);
        assert_eq!(meter.take(Instant::ZERO, usize::MAX >> 1), None);
    }
}
