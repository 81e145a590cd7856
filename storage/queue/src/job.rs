//! Jobs, and what callers see of them.

use alloc::vec::Vec;

/// The number of a job; numbers rise and are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// What proves that its holder has the lease of a job: another one for each lease. It can be sent to another program as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(pub u64);

/// A job to be put in.
#[derive(Clone, Debug, Default)]
pub struct NewJob {
    /// What the worker gets.
    pub payload: Vec<u8>,
    /// A second job with the same key within the window is not put in; an empty key is none.
    pub key: Vec<u8>,
    /// Jobs of a higher priority are leased first.
    pub priority: u8,
    /// Milliseconds before it can be leased.
    pub delay: u64,
    /// Attempts before it becomes a dead letter; with 0, as many as the queue gives.
    pub attempts: u32,
}

/// A job that a worker has for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its number.
    pub id: JobId,
    /// Proof of the lease.
    pub token: Token,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When the lease ends, in the queue's milliseconds.
    pub until: u64,
    /// The job itself.
    pub payload: Vec<u8>,
}

/// A job that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub id: JobId,
    /// How many attempts were made.
    pub attempts: u32,
    /// The job itself.
    pub payload: Vec<u8>,
}

/// What became of a job that failed or was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was put in under this number.
    New(JobId),
    /// A job with its key was put in before, under this number.
    Duplicate(JobId),
    /// It can be leased again from this time on.
    Retry(u64),
    /// It is a dead letter now.
    Dead,
}

/// How many jobs are in which state, and the bytes of their payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Can be leased.
    pub ready: usize,
    /// Wait for their time, or for the next attempt.
    pub delayed: usize,
    /// Are with workers.
    pub leased: usize,
    /// Are dead letters.
    pub dead: usize,
    /// Of all payloads.
    pub bytes: usize,
}

/// What has happened since a queue was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Jobs that were put in.
    pub enqueued: u64,
    /// Jobs that were not, as their key was taken.
    pub duplicates: u64,
    /// Leases that were given.
    pub leased: u64,
    /// Jobs that were done.
    pub acknowledged: u64,
    /// Attempts that failed, as their holders said.
    pub failed: u64,
    /// Attempts that failed as their lease ended.
    pub expired: u64,
    /// Jobs that became dead letters.
    pub died: u64,
    /// Dead letters that were dropped, as there were too many.
    pub dropped: u64,
}

impl core::ops::Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            enqueued: self.enqueued + other.enqueued,
            duplicates: self.duplicates + other.duplicates,
            leased: self.leased + other.leased,
            acknowledged: self.acknowledged + other.acknowledged,
            failed: self.failed + other.failed,
            expired: self.expired + other.expired,
            died: self.died + other.died,
            dropped: self.dropped + other.dropped,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Delayed(u64),
    Leased { until: u64, token: u64 },
    Dead,
}

#[derive(Debug)]
pub(crate) struct Job {
    pub payload: Vec<u8>,
    pub priority: u8,
    pub attempts: u32,
    /// Attempts that it may have; with 0, as many as the queue gives.
    pub most: u32,
    pub state: State,
    /// Whether the log has it.
    pub logged: bool,
}
