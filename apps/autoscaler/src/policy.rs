//! How many machines a load wants.

use core::time::Duration;

use morgana_hal::Instant;

/// When there are more machines, and when fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Machines at the least.
    pub least: usize,
    /// Machines at the most.
    pub most: usize,
    /// How long the load must want fewer machines before one goes.
    pub calm: Duration,
    /// How long after that the next one goes, if the load still wants fewer.
    pub step: Duration,
}

/// What a machine is to bear, in thousandths.
pub const WHOLE: u64 = 1_000;
/// One machine fewer must be able to bear the load with so much of it to spare, in thousandths of what it is to bear: the gap between growing and shrinking.
const SPARE: u64 = 250;

/// Decides how many machines there should be.
#[derive(Clone, Debug)]
pub struct Scaler {
    policy: Policy,
    wanted: usize,
    /// Since when the load wants fewer, or when the last one went.
    low_since: Option<Instant>,
    /// How long it must still want so from then on.
    patience: Duration,
}

impl Scaler {
    /// A decision that begins with so many machines, those that there are.
    pub fn new(policy: Policy, there: usize) -> Self {
        Self {
            policy,
            wanted: there.clamp(policy.least, policy.most.max(policy.least)),
            low_since: None,
            patience: policy.calm,
        }
    }

    /// How many there should be.
    pub const fn wanted(&self) -> usize {
        self.wanted
    }

    /// Hears of the load at a time, in thousandths of what one machine is to bear, and says how many there should be: more at once, fewer one after the other.
    pub fn hear(&mut self, load: u64, now: Instant) -> usize {
        let Policy { least, most, .. } = self.policy;
        let fits = |machines: u64| usize::try_from(machines).unwrap_or(usize::MAX);
        let needed = fits(load.div_ceil(WHOLE)).clamp(least, most.max(least));
        if needed >= self.wanted {
            self.wanted = needed;
        }
        let fewer = self.wanted.saturating_sub(1);
        let room = (fewer as u64).saturating_mul(WHOLE - SPARE);
        // An idle service needs no room to spare.
        let is_low = fewer >= least && self.wanted > least && (load <= room || load == 0);
        if !is_low {
            self.low_since = None;
            self.patience = self.policy.calm;
            return self.wanted;
        }
        let since = *self.low_since.get_or_insert(now);
        if now.since(since) >= self.patience {
            self.wanted = fewer;
            self.low_since = Some(now);
            self.patience = self.policy.step;
        }
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        least: 1,
        most: 10,
        calm: Duration::from_secs(10),
        step: Duration::from_secs(2),
    };

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn load_that_rises_gets_machines_at_once() {
        let mut scaler = Scaler::new(POLICY, 0);
        assert_eq!(scaler.wanted(), 1);
        for (second, load, wanted) in [
            (0, 0, 1),
            (1, 1_000, 1),
            (2, 1_001, 2),
            (3, 6_500, 7),
            (4, 99_000, 10),
        ] {
            assert_eq!(scaler.hear(load, at(second)), wanted);
        }
    }

    #[test]
    fn load_that_falls_is_believed_after_a_while_and_step_by_step() {
        let mut scaler = Scaler::new(POLICY, 6);
        assert_eq!(scaler.hear(500, at(0)), 6);
        assert_eq!(scaler.hear(500, at(9)), 6);
        assert_eq!(scaler.hear(500, at(10)), 5);
        assert_eq!(scaler.hear(500, at(11)), 5);
        assert_eq!(scaler.hear(500, at(12)), 4);
        // It rises: the whole wait begins anew.
        assert_eq!(scaler.hear(3_900, at(13)), 4);
        assert_eq!(scaler.hear(500, at(14)), 4);
        assert_eq!(scaler.hear(500, at(23)), 4);
        for (second, wanted) in [(24, 3), (26, 2), (28, 1), (60, 1)] {
            assert_eq!(scaler.hear(500, at(second)), wanted);
        }
    }

    #[test]
    fn load_at_the_edge_changes_nothing() {
        let mut scaler = Scaler::new(POLICY, 4);
        // Three could just bear it, with nothing to spare.
        for second in 0..100 {
            let load = if second % 2 == 0 { 2_900 } else { 3_100 };
            assert_eq!(scaler.hear(load, at(second)), 4);
        }
    }

    #[test]
    fn bounds_hold_whatever_comes() {
        let policy = Policy {
            least: 0,
            most: 3,
            ..POLICY
        };
        let mut scaler = Scaler::new(policy, 100);
        assert_eq!(scaler.wanted(), 3);
        assert_eq!(scaler.hear(u64::MAX, at(0)), 3);
        for second in 1..60 {
            scaler.hear(0, at(second));
        }
        assert_eq!(scaler.wanted(), 0);
        // Bounds that make no sense: the least counts.
        let mut odd = Scaler::new(
            Policy {
                least: 5,
                most: 2,
                ..POLICY
            },
            0,
        );
        assert_eq!(odd.hear(u64::MAX, at(0)), 5);
    }
}
