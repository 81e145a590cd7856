//! The queue on a device.

use alloc::vec::Vec;
use core::cell::{RefCell, RefMut};
use core::fmt;

use morgana_block::BlockDevice;
use morgana_exec::Notify;

use crate::commit::{State, durable};
use crate::jobs::Jobs;
use crate::log::Log;
use crate::record::Batches;
use crate::{
    DeadLetter, JobId, JobQueue, Lease, Limits, NewJob, OpenError, Outcome, QueueError, Statistics,
    Token, Totals,
};

/// A queue whose log is on a block device. All who use it share one; what they ask for at once is made durable by one flush.
pub struct Queue<D, C> {
    state: RefCell<State<D>>,
    committed: Notify,
    changed: Notify,
    clock: C,
    /// Milliseconds that the queue's time is ahead of the clock's.
    ahead: u64,
}

impl<D: BlockDevice + 'static, C: Fn() -> u64> Queue<D, C> {
    /// Opens the queue of a device, or begins one on a device whose beginning is zero. `seed` is a random number, another one each time.
    ///
    /// `clock` tells milliseconds. If it is that of the day, delays and leases also go on while no program runs. One that begins anew with each program does
    /// as well: then the time that no program ran does not count, as the queue's time goes on from the last that its log knows.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(device: D, clock: C, limits: Limits, seed: u64) -> Result<Self, OpenError> {
        limits.check(device.geometry().bytes())?;
        let mut jobs = Jobs::new(limits, seed);
        let (mut log, last) = Log::open(device, seed, &mut jobs).await?;
        jobs.reseed(log.generation());
        let now = clock();
        let ahead = last.saturating_sub(now);
        let now = now.saturating_add(ahead);
        jobs.advance(now);
        let snapshot = match log.generation() {
            // Nothing comes behind the first header before it is durable.
            0 => Batches::default(),
            _ => jobs.snapshot(),
        };
        log.replace(now, snapshot).await?;
        Ok(Self {
            state: RefCell::new(State::new(jobs, now, log)),
            committed: Notify::new(),
            changed: Notify::new(),
            clock,
            ahead,
        })
    }

    /// When the next delay or lease ends, by the clock: no job becomes ready by itself before.
    pub fn next_change(&self) -> Option<u64> {
        let at = self.state.borrow().jobs.next_change()?;
        Some(at.saturating_sub(self.ahead))
    }

    /// Tells who waits for a job that there is one more, or that [`next_change`](Self::next_change) is earlier than it was.
    pub fn changed(&self) -> &Notify {
        &self.changed
    }

    /// What has happened since it was opened, of which not all need be durable yet.
    pub fn totals(&self) -> Totals {
        self.state.borrow().jobs.totals()
    }

    /// Whether there is a job of this number, in any state: tells a lease that is not held any more from a number that means nothing.
    ///
    /// # Errors
    ///
    /// [`QueueError::Device`].
    pub fn contains(&self, id: JobId) -> Result<bool, QueueError> {
        Ok(self.now()?.jobs.contains(id))
    }

    /// The limits that it was opened with.
    pub fn limits(&self) -> Limits {
        *self.state.borrow().jobs.limits()
    }

    /// The time by its clock, in milliseconds.
    pub fn time(&self) -> u64 {
        (self.clock)()
    }

    /// The state now, with what time has changed.
    fn now(&self) -> Result<RefMut<'_, State<D>>, QueueError> {
        let mut state = self.state.borrow_mut();
        if let Some(error) = state.failed {
            return Err(QueueError::Device(error));
        }
        state.now = (self.clock)().saturating_add(self.ahead).max(state.now);
        let now = state.now;
        state.jobs.advance(now);
        Ok(state)
    }

    /// Waits until what was changed is durable, all changes before included.
    async fn durable(&self, version: u64) -> Result<(), QueueError> {
        durable(&self.state, &self.committed, version).await
    }

    /// Changes something, and waits until that is durable.
    async fn change<T>(
        &self,
        change: impl FnOnce(&mut Jobs, u64) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let (answer, version, is_news) = {
            let mut state = self.now()?;
            let (now, before) = (state.now, state.jobs.prospects());
            let answer = change(&mut state.jobs, now)?;
            state.version += 1;
            let is_news = state.jobs.prospects().are_better_than(before);
            (answer, state.version, is_news)
        };
        // Many may wait: a job that goes is nothing to them.
        if is_news {
            self.changed.notify();
        }
        self.durable(version).await?;
        Ok(answer)
    }

    /// A time of the queue by the clock.
    fn by_clock(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Retry(at) => Outcome::Retry(at.saturating_sub(self.ahead)),
            other => other,
        }
    }

    #[cfg(test)]
    pub(crate) fn view(&self) -> alloc::collections::BTreeMap<Vec<u8>, crate::jobs::View> {
        self.state.borrow().jobs.view()
    }
}

impl<D: BlockDevice + 'static, C: Fn() -> u64> JobQueue for Queue<D, C> {
    async fn enqueue(&self, job: NewJob) -> Result<Outcome, QueueError> {
        self.change(|jobs, now| jobs.enqueue(now, job)).await
    }

    async fn lease(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        // There is nothing to be made durable if there is none.
        if self.now()?.jobs.statistics().ready == 0 {
            return Ok(None);
        }
        let lease = self.change(|jobs, now| Ok(jobs.lease(now, time))).await?;
        Ok(lease.map(|lease| Lease {
            until: lease.until.saturating_sub(self.ahead),
            ..lease
        }))
    }

    async fn acknowledge(&self, id: JobId, token: Token) -> Result<(), QueueError> {
        self.change(|jobs, now| jobs.acknowledge(now, id, token))
            .await
    }

    async fn extend(&self, id: JobId, token: Token, time: u64) -> Result<u64, QueueError> {
        let mut state = self.now()?;
        let (now, before) = (state.now, state.jobs.prospects());
        let until = state.jobs.extend(now, id, token, time)?;
        // It may end sooner than it would have.
        if state.jobs.prospects().are_better_than(before) {
            self.changed.notify();
        }
        Ok(until.saturating_sub(self.ahead))
    }

    async fn fail(&self, id: JobId, token: Token) -> Result<Outcome, QueueError> {
        let outcome = self.change(|jobs, now| jobs.fail(now, id, token)).await?;
        Ok(self.by_clock(outcome))
    }

    async fn dead_letters(&self, from: JobId, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.now()?.jobs.dead_letters(from).take(most).collect())
    }

    async fn requeue(&self, id: JobId) -> Result<(), QueueError> {
        self.change(|jobs, _| jobs.requeue(id)).await
    }

    async fn purge(&self, id: JobId) -> Result<(), QueueError> {
        self.change(|jobs, _| jobs.purge(id)).await
    }

    async fn statistics(&self) -> Result<Statistics, QueueError> {
        Ok(self.now()?.jobs.statistics())
    }
}

impl<D, C> fmt::Debug for Queue<D, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}
