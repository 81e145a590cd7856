//! What callers ask for.

use super::{Jobs, State};
use crate::backoff::next_random;
use crate::job::Job;
use crate::{DeadLetter, JobId, Lease, NewJob, Outcome, QueueError, Token};

impl Jobs {
    /// Puts a job in.
    ///
    /// # Errors
    ///
    /// [`QueueError::TooLarge`] and [`QueueError::Full`].
    pub(crate) fn enqueue(&mut self, now: u64, job: NewJob) -> Result<Outcome, QueueError> {
        self.advance(now);
        if job.payload.len() > self.limits.payload || job.key.len() > self.limits.key {
            return Err(QueueError::TooLarge);
        }
        if let Some(&id) = self.keys.get(&job.key) {
            self.totals.duplicates += 1;
            return Ok(Outcome::Duplicate(id));
        }
        let keyed = !job.key.is_empty();
        if self.jobs.len() >= self.limits.jobs
            || job.payload.len() > self.limits.bytes.saturating_sub(self.bytes)
            || keyed && self.keys.len() >= self.limits.keys
            || self.next == u64::MAX
            || self.changed.len() >= self.limits.jobs.saturating_mul(2)
        {
            return Err(QueueError::Full);
        }
        let id = JobId(self.next);
        self.next += 1;
        let state = match job.delay.min(self.limits.longest) {
            0 => State::Ready,
            delay => State::Delayed(now.saturating_add(delay)),
        };
        let put = Job {
            payload: job.payload,
            priority: job.priority,
            attempts: 0,
            most: job.attempts,
            state,
            logged: false,
        };
        self.put(id, put);
        self.totals.enqueued += 1;
        if keyed {
            let until = now.saturating_add(self.limits.window);
            self.changed.insert(id, Some(until));
            self.remember(id, until, job.key);
        }
        Ok(Outcome::New(id))
    }

    /// Leases the job that is first for `time` milliseconds; none if no job is ready.
    pub(crate) fn lease(&mut self, now: u64, time: u64) -> Option<Lease> {
        self.advance(now);
        let &(_, id) = self.ready.first()?;
        let until = now.saturating_add(time.clamp(1, self.limits.longest.max(1)));
        let token = next_random(&mut self.random);
        self.set(id, State::Leased { until, token });
        self.totals.leased += 1;
        let job = self.jobs.get_mut(&id)?;
        job.attempts = job.attempts.saturating_add(1);
        Some(Lease {
            id,
            token: Token(token),
            attempt: job.attempts,
            until,
            payload: job.payload.clone(),
        })
    }

    /// The job is done, and goes.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`].
    pub(crate) fn acknowledge(
        &mut self,
        now: u64,
        id: JobId,
        token: Token,
    ) -> Result<(), QueueError> {
        self.held(now, id, token)?;
        self.totals.acknowledged += 1;
        self.remove(id);
        Ok(())
    }

    /// The lease ends `time` milliseconds from now; its new end is returned.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`].
    pub(crate) fn extend(
        &mut self,
        now: u64,
        id: JobId,
        token: Token,
        time: u64,
    ) -> Result<u64, QueueError> {
        self.held(now, id, token)?;
        let until = now.saturating_add(time.clamp(1, self.limits.longest.max(1)));
        self.set(
            id,
            State::Leased {
                until,
                token: token.0,
            },
        );
        Ok(until)
    }

    /// The attempt failed: the job is tried again after a while, or becomes a dead letter.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`].
    pub(crate) fn fail(
        &mut self,
        now: u64,
        id: JobId,
        token: Token,
    ) -> Result<Outcome, QueueError> {
        self.held(now, id, token)?;
        self.totals.failed += 1;
        Ok(self.retry(now, id))
    }

    /// The dead letters with numbers from `from` on, the oldest job first.
    pub(crate) fn dead_letters(&self, from: JobId) -> impl Iterator<Item = DeadLetter> {
        let dead = self.dead.range(from..);
        dead.filter_map(|id| {
            let job = self.jobs.get(id)?;
            Some(DeadLetter {
                id: *id,
                attempts: job.attempts,
                payload: job.payload.clone(),
            })
        })
    }

    /// Makes a dead letter a ready job again, with all its attempts before it.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`].
    pub(crate) fn requeue(&mut self, id: JobId) -> Result<(), QueueError> {
        self.dead_letter(id)?.attempts = 0;
        self.set(id, State::Ready);
        Ok(())
    }

    /// Removes a dead letter.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`].
    pub(crate) fn purge(&mut self, id: JobId) -> Result<(), QueueError> {
        self.dead_letter(id)?;
        self.remove(id);
        Ok(())
    }
}
