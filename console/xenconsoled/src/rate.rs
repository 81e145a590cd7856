//! How fast a guest may write: buckets of bytes that fill at steady rates.

use core::cell::Cell;
use core::time::Duration;

use morgana_hal::{DomId, Instant};

/// How fast a guest may write to its console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Bytes a second, in the long run. 0 is no limit.
    pub bytes_a_second: u32,
    /// What a guest that was silent may write at once, in bytes.
    pub burst: u32,
    /// Bytes a second while consoles of other guests are in use, too. 0 is no limit.
    pub shared: u32,
}

impl Default for Rate {
    /// 4 MiB a second, and 4 MiB at once: far more than a guest that is well writes. 512 KiB a second while others are there.
    fn default() -> Self {
        Self {
            bytes_a_second: 4 << 20,
            burst: 4 << 20,
            shared: 512 << 10,
        }
    }
}

/// For how long a guest counts as one whose console is in use.
const RECENT: Duration = Duration::from_millis(100);
/// What may be written at once while others are there, in bytes.
const SHARED_BURST: u32 = 16 << 10;

/// Whose consoles are in use.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    last: Cell<Option<(DomId, Instant)>>,
    /// The last of all but that one.
    other: Cell<Option<(DomId, Instant)>>,
}

impl Traffic {
    /// Bytes of a guest's console have moved.
    pub(crate) fn note(&self, domain: DomId, now: Instant) {
        if let Some(last) = self.last.get().filter(|last| last.0 != domain) {
            self.other.set(Some(last));
        }
        self.last.set(Some((domain, now)));
    }

    /// Whether another guest's console is in use.
    fn has_others(&self, domain: DomId, now: Instant) -> bool {
        [self.last.get(), self.other.get()]
            .into_iter()
            .flatten()
            .any(|(other, at)| other != domain && now.since(at) < RECENT)
    }
}

/// What one guest may still write.
#[derive(Debug)]
pub(crate) struct Meter {
    domain: DomId,
    alone: Bucket,
    shared: Bucket,
}

impl Meter {
    pub(crate) fn new(domain: DomId, rate: Rate, now: Instant) -> Self {
        Self {
            domain,
            alone: Bucket::new(rate.bytes_a_second, rate.burst, now),
            shared: Bucket::new(rate.shared, SHARED_BURST, now),
        }
    }

    /// The guest has written so many bytes. Returns how long nothing may come behind them.
    pub(crate) fn take(&mut self, traffic: &Traffic, now: Instant, bytes: usize) -> Pause {
        traffic.note(self.domain, now);
        if let Some(time) = self.alone.take(now, bytes) {
            return Pause::Limit(time);
        }
        let shared = traffic
            .has_others(self.domain, now)
            .then(|| self.shared.take(now, bytes));
        match shared.flatten() {
            Some(time) => Pause::Others(time),
            None => Pause::None,
        }
    }
}

/// What a guest has to wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pause {
    None,
    /// It is over its limit.
    Limit(Duration),
    /// Others have their share first.
    Others(Duration),
}

#[derive(Debug)]
struct Bucket {
    /// Bytes a second.
    rate: u32,
    size: u32,
    /// In bytes; below 0 it is owed.
    credit: i64,
    at: Instant,
}

impl Bucket {
    fn new(rate: u32, size: u32, now: Instant) -> Self {
        Self {
            rate,
            size,
            credit: i64::from(size),
            at: now,
        }
    }

    /// Takes so many bytes out. Returns how long it takes until it is not owed anything.
    fn take(&mut self, now: Instant, bytes: usize) -> Option<Duration> {
        if self.rate == 0 {
            return None;
        }
        let rate = i128::from(self.rate);
        let earned = now.since(self.at).as_nanos() as i128 * rate / NANOS;
        // What is less than a byte stays in the time.
        if earned > 0 {
            self.at = now;
        }
        let credit = (i128::from(self.credit) + earned).min(i128::from(self.size));
        let credit = credit - bytes as i128;
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

    const D1: DomId = DomId::new(1);
    const D2: DomId = DomId::new(2);

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_burst_is_free_and_what_comes_behind_it_has_the_rate() {
        let mut now = Instant::ZERO;
        let mut bucket = Bucket::new(1000, 500, now);
        assert_eq!(bucket.take(now, 500), None);
        let mut bytes = 0;
        while now < at(10_000) {
            bytes += 7;
            if let Some(wait) = bucket.take(now, 7) {
                now = now + wait;
            }
        }
        assert!((9_990..=10_010).contains(&bytes), "{bytes}");
        // A rest fills it, and no more than that.
        now = now + Duration::from_secs(3600);
        assert_eq!(bucket.take(now, 500), None);
        assert!(bucket.take(now, 1).is_some());
    }

    #[test]
    fn no_limit_is_none() {
        let rate = Rate {
            bytes_a_second: 0,
            burst: 0,
            shared: 0,
        };
        let traffic = Traffic::default();
        traffic.note(D2, at(0));
        let mut meter = Meter::new(D1, rate, at(0));
        assert_eq!(meter.take(&traffic, at(0), usize::MAX >> 1), Pause::None);
    }

    #[test]
    fn a_guest_gives_way_while_others_are_there() {
        let rate = Rate {
            bytes_a_second: 1_000_000,
            burst: 1_000_000,
            shared: 100_000,
        };
        let traffic = Traffic::default();
        let mut meter = Meter::new(D1, rate, at(0));
        assert_eq!(meter.take(&traffic, at(0), 500_000), Pause::None);
        traffic.note(D2, at(0));
        assert_eq!(meter.take(&traffic, at(0), 16_384), Pause::None);
        let pause = Pause::Others(Duration::from_millis(10));
        assert_eq!(meter.take(&traffic, at(0), 1000), pause);
        // The other one has been silent for a while.
        assert_eq!(meter.take(&traffic, at(101), 200_000), Pause::None);
        assert!(matches!(
            meter.take(&traffic, at(101), 2_000_000),
            Pause::Limit(_)
        ));
    }
}
