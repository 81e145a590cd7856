//! What is counted.

use morgana_hal::Instant;

use crate::{Histogram, Recent};
use core::time::Duration;

/// How long the windows of [`Totals::recent`] are.
const WINDOW: Duration = Duration::from_secs(5);

/// Why an attempt at a back end failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It could not be connected to.
    Connect,
    /// It took too long.
    Timeout,
    /// It closed the connection, or broke the protocol.
    Broken,
    /// The balancer gave it up, since it was found to be unhealthy meanwhile.
    Abandoned,
}

/// How an attempt at a back end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer, whatever its status below 500.
    Answered,
    /// With an answer of a status from 500 on: the back end speaks, so it is not ejected for it.
    ServerError,
    /// Without one.
    Failed(Failure),
    /// The client went away; it says nothing of the back end.
    Cancelled,
}

/// What is counted of a back end.
#[derive(Clone, Debug, Default)]
pub struct BackendStats {
    /// Attempts that began.
    pub requests: u64,
    /// Answers of a status from 500 on.
    pub server_errors: u64,
    /// Attempts that could not connect.
    pub connect_failures: u64,
    /// Attempts that took too long.
    pub timeouts: u64,
    /// Attempts that ended with a broken connection or protocol.
    pub broken: u64,
    /// Attempts that were given up.
    pub abandoned: u64,
    /// Attempts whose client went away.
    pub cancelled: u64,
    /// Checks that failed.
    pub checks_failed: u64,
    /// How often requests have ejected it.
    pub ejections: u64,
    /// How long its answers took.
    pub latency: Histogram,
}

impl BackendStats {
    /// Attempts that came to no answer, those not counted whose client went away.
    pub const fn failures(&self) -> u64 {
        self.connect_failures + self.timeouts + self.broken + self.abandoned
    }

    pub(crate) fn count(&mut self, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Answered => self.latency.record(took),
            Outcome::ServerError => {
                self.server_errors += 1;
                self.latency.record(took);
            }
            Outcome::Failed(Failure::Connect) => self.connect_failures += 1,
            Outcome::Failed(Failure::Timeout) => self.timeouts += 1,
            Outcome::Failed(Failure::Broken) => self.broken += 1,
            Outcome::Failed(Failure::Abandoned) => self.abandoned += 1,
            Outcome::Cancelled => self.cancelled += 1,
        }
    }
}

/// What is counted of all requests, each once, however often it was tried.
#[derive(Clone, Debug)]
pub struct Totals {
    /// Requests that came.
    pub requests: u64,
    /// Requests that have not ended.
    pub in_flight: u32,
    /// Requests that a back end has answered.
    pub answered: u64,
    /// Of these, those with a status from 500 on.
    pub server_errors: u64,
    /// Requests that no back end answered (502).
    pub bad_gateway: u64,
    /// Requests that took a back end too long (504).
    pub timeouts: u64,
    /// Requests refused because too many waited, or for too long (503).
    pub refused: u64,
    /// Requests whose client went away.
    pub cancelled: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// How long requests took that were answered, from their head to the end of the answer.
    pub latency: Histogram,
    /// The same of the last five to ten seconds.
    pub recent: Recent,
}

impl Totals {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            requests: 0,
            in_flight: 0,
            answered: 0,
            server_errors: 0,
            bad_gateway: 0,
            timeouts: 0,
            refused: 0,
            cancelled: 0,
            retries: 0,
            latency: Histogram::default(),
            recent: Recent::new(WINDOW, now),
        }
    }
}
