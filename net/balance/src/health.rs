//! What checks and requests tell of a back end's health.

use core::time::Duration;

use morgana_hal::Instant;

use crate::{Config, State};

/// How a health check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is well.
    Passed,
    /// It gave no answer, a wrong one, or none in time.
    Failed,
}

/// The health of one back end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    pub(crate) state: State,
    /// Since when it is so.
    pub(crate) since: Instant,
    /// Checks in a row that say the other than the state does.
    against: u32,
    /// Requests in a row that failed.
    failures: u32,
    /// When the next check is due; `None` while one is under way.
    due: Option<Instant>,
}

impl Health {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            state: State::Joining,
            since: now,
            against: 0,
            failures: 0,
            due: Some(now),
        }
    }

    /// When it is to be checked, if it is and no check is under way.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.state != State::Draining)
    }

    pub(crate) const fn begin_check(&mut self) {
        self.due = None;
    }

    /// A check has ended. `rise` of them in a row make one healthy that is not.
    pub(crate) fn checked(&mut self, probe: Probe, rise: u32, now: Instant, config: &Config) {
        match (self.state, probe) {
            (State::Joining, Probe::Passed) => self.turn(State::Healthy, now),
            (State::Unhealthy, Probe::Passed) => {
                self.against += 1;
                if self.against >= rise {
                    self.turn(State::Healthy, now);
                }
            }
            (State::Healthy, Probe::Failed) => {
                self.against += 1;
                if self.against >= config.checks.fall {
                    self.turn(State::Unhealthy, now);
                }
            }
            _ => self.against = 0,
        }
        let interval = match self.state {
            State::Healthy | State::Draining => config.checks.interval,
            State::Joining | State::Unhealthy => config.checks.eager_interval,
        };
        self.due = Some(now + interval);
    }

    /// A request was answered.
    pub(crate) const fn answered(&mut self) {
        self.failures = 0;
    }

    /// A request failed: whether that ejects it.
    pub(crate) fn failed(&mut self, now: Instant, config: &Config) -> bool {
        self.failures = self.failures.saturating_add(1);
        let ejected = self.state == State::Healthy && self.failures >= config.eject_after;
        if ejected {
            self.turn(State::Unhealthy, now);
        }
        ejected
    }

    pub(crate) const fn turn(&mut self, state: State, now: Instant) {
        (self.state, self.since) = (state, now);
        (self.against, self.failures) = (0, 0);
    }

    /// Its share, of [`WHOLE`]: less than all while it starts.
    pub(crate) fn share(&self, now: Instant, slow_start: Duration) -> u64 {
        let age = now.since(self.since);
        if age >= slow_start {
            return WHOLE;
        }
        // Less than WHOLE, as age is less than slow_start.
        let grown = u128::from(WHOLE) * age.as_nanos() / slow_start.as_nanos().max(1);
        (grown as u64).max(WHOLE / 10)
    }
}

/// The share of a back end that has been healthy for a while.
pub(crate) const WHOLE: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: Config = Config::DEFAULT;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn it_falls_and_rises_after_so_many_checks_in_a_row() {
        use Probe::{Failed, Passed};
        let mut health = Health::new(at(0));
        for (probe, expected) in [
            (Failed, State::Joining),
            (Passed, State::Healthy),
            (Failed, State::Healthy),
            (Passed, State::Healthy),
            (Failed, State::Healthy),
            (Failed, State::Unhealthy),
            (Passed, State::Unhealthy),
            (Failed, State::Unhealthy),
            (Passed, State::Unhealthy),
            (Passed, State::Healthy),
        ] {
            health.begin_check();
            assert_eq!(health.due(), None);
            health.checked(probe, 2, at(5), &CONFIG);
            assert_eq!(health.state, expected);
            let eager = expected != State::Healthy;
            assert_eq!(health.due(), Some(at(if eager { 105 } else { 1005 })));
        }
    }

    #[test]
    fn failures_in_a_row_eject() {
        let mut health = Health::new(at(0));
        health.checked(Probe::Passed, 2, at(0), &CONFIG);
        assert!(!health.failed(at(1), &CONFIG) && !health.failed(at(1), &CONFIG));
        health.answered();
        assert!(!health.failed(at(2), &CONFIG) && !health.failed(at(2), &CONFIG));
        assert!(health.failed(at(3), &CONFIG));
        assert_eq!(health.state, State::Unhealthy);
        assert!(!health.failed(at(4), &CONFIG), "it is out already");
    }

    #[test]
    fn the_share_grows() {
        let health = Health::new(at(0));
        let share = |ms| health.share(at(ms), Duration::from_secs(1));
        assert_eq!(
            [share(0), share(50), share(500), share(1000)],
            [100, 100, 500, 1000]
        );
        assert_eq!(health.share(at(0), Duration::ZERO), WHOLE);
    }
}
