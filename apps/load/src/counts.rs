//! What has come of requests.

use std::time::Duration;

use morgana_balance::Histogram;

/// Why a request failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    Connect,
    Timeout,
    Broken,
    Status,
    /// It was never sent, as too many waited.
    Dropped,
}

impl Failure {
    pub(crate) const ALL: [Self; 5] = [
        Self::Connect,
        Self::Timeout,
        Self::Broken,
        Self::Status,
        Self::Dropped,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Status => "status",
            Self::Dropped => "dropped",
        }
    }
}

/// What has come of requests, in a second or in all.
#[derive(Clone, Default, Debug)]
pub(crate) struct Counts {
    /// Requests that were due.
    pub(crate) due: u64,
    /// Answers that were as they should be, with how long they took from when their request was due.
    pub(crate) latency: Histogram,
    failures: [u64; Failure::ALL.len()],
}

impl Counts {
    pub(crate) fn answered(&mut self, latency: Duration) {
        self.latency.record(latency);
    }

    pub(crate) fn failed(&mut self, failure: Failure) {
        self.failures[failure as usize] += 1;
    }

    /// How many failed so.
    pub(crate) const fn failures(&self, failure: Failure) -> u64 {
        self.failures[failure as usize]
    }

    /// How many failed in any way.
    pub(crate) fn errors(&self) -> u64 {
        self.failures.iter().sum()
    }

    /// How many have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.latency.count() + self.errors()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.due += other.due;
        self.latency.merge(&other.latency);
        for (count, more) in self.failures.iter_mut().zip(other.failures) {
            *count += more;
        }
    }
}
