//! One back end.

use alloc::string::String;

use morgana_hal::Instant;

use crate::BackendStats;
use crate::health::Health;

/// A back end for as long as it is one. Numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackendId(pub(crate) u64);

/// What a back end is there for. One that is gone is not in the table any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was never seen well yet, and gets no requests.
    Joining,
    /// It gets requests.
    Healthy,
    /// Checks fail, or requests failed one after the other. It gets none until checks go well.
    Unhealthy,
    /// It gets no further requests, and goes with the last one that it has.
    Draining,
}

impl State {
    /// Its name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Draining => "draining",
        }
    }
}

/// A back end with what is known of it. `A` is its address.
#[derive(Clone, Debug)]
pub struct Backend<A> {
    pub(crate) id: BackendId,
    pub(crate) name: String,
    pub(crate) address: A,
    pub(crate) health: Health,
    pub(crate) in_flight: u32,
    /// When it was chosen last, in choices: the one that waited longest wins among equals.
    pub(crate) turn: u64,
    /// When it is gone although requests are left, if it drains.
    pub(crate) drained_by: Option<Instant>,
    pub(crate) stats: BackendStats,
}

impl<A> Backend<A> {
    /// Its number.
    pub const fn id(&self) -> BackendId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub const fn address(&self) -> &A {
        &self.address
    }

    /// What it is there for.
    pub const fn state(&self) -> State {
        self.health.state
    }

    /// Since when it is so.
    pub const fn since(&self) -> Instant {
        self.health.since
    }

    /// Requests that it has.
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// What was counted of it.
    pub const fn stats(&self) -> &BackendStats {
        &self.stats
    }
}
