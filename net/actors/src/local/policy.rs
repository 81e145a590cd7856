//! When to restart what: plain functions of time.

use alloc::collections::VecDeque;
use core::ops::Range;
use core::time::Duration;

use morgana_hal::Instant;

use super::actor::Ended;

/// Whether a child that has ended is restarted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// Always.
    Permanent,
    /// If it failed.
    Transient,
    /// Never.
    Temporary,
}

/// Which children are restarted when one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// That one.
    OneForOne,
    /// All.
    OneForAll,
    /// That one and those that were started after it.
    RestForOne,
}

/// How many restarts there may be in how long a time. One more, and the supervisor fails itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intensity {
    /// So many; at most 1,000 are counted.
    pub restarts: u16,
    /// In so long a time.
    pub within: Duration,
}

/// How long a restart waits. The first waits for `first`, each further one of those in [`Intensity::within`] twice as long, up to `most`; of that a
/// random part, at least half.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest one.
    pub most: Duration,
}

impl Intensity {
    /// Three restarts in 5 s.
    pub const DEFAULT: Self = Self {
        restarts: 3,
        within: Duration::from_secs(5),
    };
}

impl Backoff {
    /// No wait.
    pub const NONE: Self = Self {
        first: Duration::ZERO,
        most: Duration::ZERO,
    };

    /// How long the `nth` restart waits, counted from 0, by a random number.
    pub fn wait(&self, nth: u32, random: u64) -> Duration {
        let whole = self
            .first
            .saturating_mul(1u32.checked_shl(nth).unwrap_or(u32::MAX))
            .min(self.most);
        let half = whole / 2;
        let span = u64::try_from((whole - half).as_nanos()).unwrap_or(u64::MAX - 1);
        half + Duration::from_nanos(random % (span + 1))
    }
}

impl Restart {
    pub(crate) fn applies(self, ended: Ended) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => matches!(ended, Ended::Failed(_) | Ended::Aborted | Ended::PeerGone),
            Self::Temporary => false,
        }
    }
}

impl Strategy {
    /// Which of `children` are restarted with the one at `index`.
    pub(crate) fn affected(self, index: usize, children: usize) -> Range<usize> {
        match self {
            Self::OneForOne => index..index + 1,
            Self::OneForAll => 0..children,
            Self::RestForOne => index..children,
        }
    }
}

/// The restarts of one supervisor.
#[derive(Debug)]
pub(crate) struct Restarts {
    intensity: Intensity,
    backoff: Backoff,
    recent: VecDeque<Instant>,
    random: Random,
}

/// More restarts than [`Intensity`] allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooOften;

impl Restarts {
    pub(crate) fn new(intensity: Intensity, backoff: Backoff, seed: u64) -> Self {
        Self {
            intensity,
            backoff,
            recent: VecDeque::new(),
            random: Random::new(seed),
        }
    }

    /// A restart is due now: how long it waits.
    pub(crate) fn next(&mut self, now: Instant) -> Result<Duration, TooOften> {
        while let Some(&first) = self.recent.front()
            && first + self.intensity.within <= now
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= usize::from(self.intensity.restarts.min(MOST_RESTARTS)) {
            return Err(TooOften);
        }
        let nth = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        self.recent.push_back(now);
        let random = self.random.draw();
        Ok(self.backoff.wait(nth, random))
    }
}

/// xorshift64* (Marsaglia 2003, Vigna 2016): it only has to spread.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        let mut x = self.0;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x;
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

const MOST_RESTARTS: u16 = 1_000;

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In no window are there more restarts than allowed, and no refusal comes before the limit.
        #[test]
        fn restarts_keep_to_the_intensity(
            allowed in 0u16..6,
            within in 1u64..200,
            steps in proptest::collection::vec(0u64..100, 1..100),
            seed: u64,
        ) {
            let within = Duration::from_millis(within);
            let mut restarts = Restarts::new(
                Intensity { restarts: allowed, within },
                Backoff { first: Duration::from_millis(1), most: Duration::from_millis(10) },
                seed,
            );
            let mut now = Instant::ZERO;
            let mut granted = std::vec::Vec::new();
            for step in steps {
                now = now + Duration::from_millis(step);
                let recent = granted.iter().filter(|&&at| at + within > now).count();
                match restarts.next(now) {
                    Ok(wait) => {
                        prop_assert!(recent < usize::from(allowed));
                        prop_assert!(wait <= Duration::from_millis(10));
                        granted.push(now);
                    }
                    Err(TooOften) => prop_assert_eq!(recent, usize::from(allowed)),
                }
            }
        }

        #[test]
        fn a_wait_is_at_least_half_and_at_most_the_whole(nth in 0u32..100, random: u64) {
            let backoff = Backoff { first: Duration::from_millis(10), most: Duration::from_secs(1) };
            let whole = Duration::from_millis(10 << nth.min(20)).min(backoff.most);
            let wait = backoff.wait(nth, random);
            prop_assert!(wait >= whole / 2 && wait <= whole);
        }
    }
}
