//! How long things took.

use core::time::Duration;

/// Buckets for each doubling: what is told is right to a sixteenth.
const STEPS: usize = 16;
/// The power of two of [`STEPS`].
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Microseconds are told apart up to 2^26, which are 67 s; what took longer counts as that.
const MOST: u64 = (1 << 26) - 1;
/// Up to 16 µs each microsecond has a bucket, then come 22 doublings of sixteen.
const BUCKETS: usize = STEPS * (26 - STEP_BITS as usize + 1);

/// A histogram of durations with fixed buckets: from 1 µs to 67 s, each a sixteenth wide of where it stands. It takes 1.5 KiB, whatever is counted, and a bucket that has
/// reached 2³² stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    buckets: [u32; BUCKETS],
    count: u64,
    sum_us: u64,
    max_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            count: 0,
            sum_us: 0,
            max_us: 0,
        }
    }
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(index(us)) {
            *bucket = bucket.saturating_add(1);
        }
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
    }

    /// How many were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The sum of all.
    pub const fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_us)
    }

    /// The longest, exactly.
    pub const fn max(&self) -> Duration {
        Duration::from_micros(self.max_us)
    }

    /// The duration within which so many of 1,000 were: 500 for the median, 990 for the 99th percentile. It is the upper end of a bucket, but never more than the
    /// longest; zero if nothing was counted.
    pub fn per_mille(&self, share: u32) -> Duration {
        let wanted = (self.count * u64::from(share.min(1000)))
            .div_ceil(1000)
            .max(1);
        let mut seen = 0;
        for (index, &bucket) in self.buckets.iter().enumerate() {
            seen += u64::from(bucket);
            if seen >= wanted {
                return Duration::from_micros(upper(index).min(self.max_us));
            }
        }
        self.max()
    }

    /// How many took no longer than `bound`, as far as buckets tell: those of the bucket of `bound` count in.
    pub fn within(&self, bound: Duration) -> u64 {
        let us = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        let counted = self.buckets.iter().take(index(us) + 1);
        counted.map(|&bucket| u64::from(bucket)).sum()
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket = bucket.saturating_add(*more);
        }
        self.count += other.count;
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.fill(0);
        (self.count, self.sum_us, self.max_us) = (0, 0, 0);
    }
}

/// The bucket of so many microseconds.
fn index(us: u64) -> usize {
    let us = us.min(MOST);
    if us < STEPS as u64 {
        return us as usize;
    }
    // At least STEP_BITS, at most 25.
    let doubling = us.ilog2() - STEP_BITS;
    let step = (us >> doubling) as usize - STEPS;
    STEPS * (1 + doubling as usize) + step
}

/// The longest duration of a bucket, in microseconds.
fn upper(index: usize) -> u64 {
    if index < STEPS {
        return index as u64;
    }
    let (doubling, step) = (index / STEPS - 1, index % STEPS);
    (((STEPS + step + 1) as u64) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for bucket in 0..BUCKETS {
            assert_eq!(index(upper(bucket)), bucket);
            if bucket + 1 < BUCKETS {
                assert_eq!(index(upper(bucket) + 1), bucket + 1);
            }
        }
        assert_eq!(upper(BUCKETS - 1), MOST);
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_right_to_a_sixteenth() {
        let mut histogram = Histogram::default();
        for ms in 1..=1000 {
            histogram.record(Duration::from_millis(ms));
        }
        for (share, exact) in [(1, 1), (500, 500), (900, 900), (990, 990), (1000, 1000)] {
            let (told, exact) = (histogram.per_mille(share), Duration::from_millis(exact));
            assert!(
                told >= exact && told <= exact * 17 / 16,
                "{told:?} {exact:?}"
            );
        }
        assert_eq!(histogram.max(), Duration::from_secs(1));
        assert_eq!(histogram.sum(), Duration::from_millis(500_500));
        assert_eq!(histogram.within(Duration::from_secs(2)), 1000);
        assert!((100..=107).contains(&histogram.within(Duration::from_millis(100))));
    }

    #[test]
    fn nothing_and_too_much_are_told_as_such() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.per_mille(990), Duration::ZERO);
        histogram.record(Duration::MAX);
        histogram.record(Duration::ZERO);
        assert_eq!(histogram.per_mille(500), Duration::ZERO);
        assert_eq!(histogram.count(), 2);
        let mut sum = histogram.clone();
        sum.merge(&histogram);
        assert_eq!(sum.count(), 4);
        sum.clear();
        assert_eq!(sum, Histogram::default());
    }
}
