//! Counters.

use core::cell::Cell;

use super::{BodyError, End};
use crate::wire::Status;

/// What a server has counted since it began. Read it with [`snapshot`](Self::snapshot).
#[derive(Debug, Default)]
pub struct Stats {
    counts: Cell<Snapshot>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Connections that are open now, those being refused not counted.
    pub connections_open: usize,
    /// Connections that are being refused now.
    pub refusals_open: usize,
    /// Connections accepted.
    pub connections_total: u64,
    /// Connections over the limit.
    pub connections_refused: u64,
    /// Answers with a status of 200 to 299.
    pub answers_2xx: u64,
    /// Answers with a status of 300 to 399.
    pub answers_3xx: u64,
    /// Answers with a status of 400 to 499.
    pub answers_4xx: u64,
    /// Answers with a status of 500 to 599.
    pub answers_5xx: u64,
    /// Bytes read from clients.
    pub bytes_in: u64,
    /// Bytes written to clients.
    pub bytes_out: u64,
    /// Heads, bodies and answers that took too long. Idle connections that were closed are not among them.
    pub timeouts: u64,
    /// Requests whose head or body was malformed or over a limit.
    pub bad_requests: u64,
    /// Times that memory or large blocks ran out.
    pub exhausted: u64,
}

impl Stats {
    /// The counters as they are now.
    pub fn snapshot(&self) -> Snapshot {
        self.counts.get()
    }

    fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    /// Takes a seat for a connection if fewer than `limit` are taken.
    pub(super) fn enter(&self, limit: usize) -> Option<Seat<'_>> {
        if self.counts.get().connections_open >= limit {
            return None;
        }
        self.update(|counts| {
            counts.connections_open += 1;
            counts.connections_total += 1;
        });
        Some(Seat {
            stats: self,
            leave: |counts| counts.connections_open -= 1,
        })
    }

    /// Takes a seat for a refusal if fewer than `limit` are taken.
    pub(super) fn refuse(&self, limit: usize) -> Option<Seat<'_>> {
        self.update(|counts| counts.connections_refused += 1);
        if self.counts.get().refusals_open >= limit {
            return None;
        }
        self.update(|counts| counts.refusals_open += 1);
        Some(Seat {
            stats: self,
            leave: |counts| counts.refusals_open -= 1,
        })
    }

    pub(super) fn count_in(&self, bytes: usize) {
        self.update(|counts| counts.bytes_in += bytes as u64);
    }

    pub(super) fn count_out(&self, bytes: usize) {
        self.update(|counts| counts.bytes_out += bytes as u64);
    }

    pub(super) fn count_answer(&self, status: Status) {
        self.update(|counts| match status.class() {
            2 => counts.answers_2xx += 1,
            3 => counts.answers_3xx += 1,
            4 => counts.answers_4xx += 1,
            _ => counts.answers_5xx += 1,
        });
    }

    pub(super) fn count_end(&self, end: End) {
        self.update(|counts| match end {
            End::HeadTimeout | End::WriteTimeout | End::BadBody(BodyError::TimedOut) => {
                counts.timeouts += 1
            }
            End::BadHead(_) | End::BadBody(BodyError::Malformed | BodyError::TooLarge) => {
                counts.bad_requests += 1
            }
            End::Exhausted => counts.exhausted += 1,
            _ => {}
        });
    }
}

/// A counted connection; dropping it counts it out.
#[derive(Debug)]
pub(super) struct Seat<'s> {
    stats: &'s Stats,
    leave: fn(&mut Snapshot),
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.stats.update(self.leave);
    }
}
