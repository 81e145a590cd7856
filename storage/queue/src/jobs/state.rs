//! What there is: the jobs, and what finds them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::job::{Job, State};
use crate::{JobId, Limits, Statistics, Totals};

/// The jobs. Every operation is told the time, in milliseconds from any point; it must not run backwards.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(super) limits: Limits,
    pub(super) random: u64,
    pub(super) next: u64,
    pub(super) bytes: usize,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) ready: BTreeSet<(Reverse<u8>, JobId)>,
    /// Ends of delays and leases.
    pub(super) timers: BTreeSet<(u64, JobId)>,
    /// Dead letters, of which the lowest number is dropped first.
    pub(super) dead: BTreeSet<JobId>,
    pub(super) keys: BTreeMap<Vec<u8>, JobId>,
    pub(super) forget: BTreeMap<(u64, JobId), Vec<u8>>,
    pub(super) counts: [usize; 4],
    pub(super) totals: Totals,
    /// What the log does not have yet: jobs that changed or went, and when the key ends that such a job was put in with.
    pub(super) changed: BTreeMap<JobId, Option<u64>>,
}

impl Jobs {
    /// An empty queue; `seed` is for jitter and tokens.
    pub(crate) fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            random: seed,
            next: 1,
            bytes: 0,
            jobs: BTreeMap::new(),
            ready: BTreeSet::new(),
            timers: BTreeSet::new(),
            dead: BTreeSet::new(),
            keys: BTreeMap::new(),
            forget: BTreeMap::new(),
            counts: [0; 4],
            totals: Totals::default(),
            changed: BTreeMap::new(),
        }
    }

    /// So that tokens differ from those of an earlier run, whatever the seed.
    pub(crate) fn reseed(&mut self, run: u64) {
        self.random ^= run.rotate_left(32);
    }

    /// When the next delay or lease ends: nothing changes by itself before.
    pub(crate) fn next_change(&self) -> Option<u64> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// What those who wait for a job hope for.
    pub(crate) fn prospects(&self) -> Prospects {
        Prospects {
            ready: self.ready.len(),
            next: self.next_change().unwrap_or(u64::MAX),
        }
    }

    /// What the queue holds.
    pub(crate) fn statistics(&self) -> Statistics {
        let [ready, delayed, leased, dead] = self.counts;
        Statistics {
            ready,
            delayed,
            leased,
            dead,
            bytes: self.bytes,
        }
    }

    /// What has happened since the queue was opened.
    pub(crate) const fn totals(&self) -> Totals {
        self.totals
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether there is such a job, in any state.
    pub(crate) fn contains(&self, id: JobId) -> bool {
        self.jobs.contains_key(&id)
    }
}

/// How many jobs are ready, and when the next one may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prospects {
    ready: usize,
    next: u64,
}

impl Prospects {
    /// Whether who waits has a reason to look again.
    pub(crate) const fn are_better_than(self, before: Self) -> bool {
        self.ready > before.ready || self.next < before.next
    }
}

pub(super) fn place(state: State) -> usize {
    match state {
        State::Ready => 0,
        State::Delayed(_) => 1,
        State::Leased { .. } => 2,
        State::Dead => 3,
    }
}
