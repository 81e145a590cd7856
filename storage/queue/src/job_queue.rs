//! The seam: what a program asks of a queue, whoever keeps it.

use alloc::vec::Vec;

use crate::{DeadLetter, JobId, Lease, NewJob, Outcome, QueueError, Statistics, Token};

/// A queue of jobs, each of which is done at least once or becomes a dead letter. Times are in milliseconds.
///
/// What was asked for is durable when the answer comes. A future may be dropped: then nobody learns whether it has happened.
// One thread runs a domain, so no future needs to be `Send`.
#[allow(async_fn_in_trait)]
pub trait JobQueue {
    /// Puts a job in, and answers [`Outcome::New`], or [`Outcome::Duplicate`] if a job with its key was put in within the window.
    ///
    /// # Errors
    ///
    /// [`QueueError::TooLarge`], [`QueueError::Full`], [`QueueError::Device`].
    async fn enqueue(&self, job: NewJob) -> Result<Outcome, QueueError>;

    /// Leases the job that is first for so long; none if no job is ready. The attempt is counted.
    ///
    /// # Errors
    ///
    /// [`QueueError::Device`].
    async fn lease(&self, time: u64) -> Result<Option<Lease>, QueueError>;

    /// The job is done, and goes.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`], [`QueueError::Device`].
    async fn acknowledge(&self, id: JobId, token: Token) -> Result<(), QueueError>;

    /// The lease ends so long from now; its new end is returned. This need not be durable: after a crash the lease may end when it would have.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`], [`QueueError::Device`].
    async fn extend(&self, id: JobId, token: Token, time: u64) -> Result<u64, QueueError>;

    /// The attempt failed: the job is tried again after a while ([`Outcome::Retry`]), or becomes a dead letter ([`Outcome::Dead`]).
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`], [`QueueError::Device`].
    async fn fail(&self, id: JobId, token: Token) -> Result<Outcome, QueueError>;

    /// At most so many dead letters with numbers from `from` on, the oldest job first.
    ///
    /// # Errors
    ///
    /// [`QueueError::Device`].
    async fn dead_letters(&self, from: JobId, most: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Makes a dead letter a ready job again, with all its attempts before it.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`], [`QueueError::Device`].
    async fn requeue(&self, id: JobId) -> Result<(), QueueError>;

    /// Removes a dead letter.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`], [`QueueError::Device`].
    async fn purge(&self, id: JobId) -> Result<(), QueueError>;

    /// How many jobs are in which state.
    ///
    /// # Errors
    ///
    /// [`QueueError::Device`].
    async fn statistics(&self) -> Result<Statistics, QueueError>;
}
