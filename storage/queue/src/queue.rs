//! The state of a queue and what changes it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::backoff::next_random;
use crate::job::{Job, State};
use crate::{DeadLetter, JobId, Lease, Limits, NewJob, QueueError, Token};

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
#[allow(missing_docs)]
pub struct Statistics {
    pub ready: usize,
    pub delayed: usize,
    pub leased: usize,
    pub dead: usize,
    pub bytes: usize,
}

/// A queue in memory. Every operation is told the time, in milliseconds from any point; it must not run backwards.
#[derive(Debug)]
pub struct Queue {
    limits: Limits,
    random: u64,
    next: u64,
    bytes: usize,
    jobs: BTreeMap<JobId, Job>,
    ready: BTreeSet<(Reverse<u8>, JobId)>,
    /// Ends of delays and leases.
    timers: BTreeSet<(u64, JobId)>,
    keys: BTreeMap<Vec<u8>, JobId>,
    forget: BTreeMap<(u64, JobId), Vec<u8>>,
    counts: [usize; 4],
}

impl Queue {
    /// An empty queue; `seed` is for jitter and tokens.
    pub fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            random: seed,
            next: 1,
            bytes: 0,
            jobs: BTreeMap::new(),
            ready: BTreeSet::new(),
            timers: BTreeSet::new(),
            keys: BTreeMap::new(),
            forget: BTreeMap::new(),
            counts: [0; 4],
        }
    }

    /// Puts a job in.
    ///
    /// # Errors
    ///
    /// [`QueueError::TooLarge`] and [`QueueError::Full`].
    pub fn enqueue(&mut self, now: u64, job: NewJob) -> Result<Outcome, QueueError> {
        self.advance(now);
        if job.payload.len() > self.limits.payload || job.key.len() > self.limits.key {
            return Err(QueueError::TooLarge);
        }
        if let Some(&id) = self.keys.get(&job.key) {
            return Ok(Outcome::Duplicate(id));
        }
        let keyed = !job.key.is_empty();
        if self.jobs.len() >= self.limits.jobs
            || job.payload.len() > self.limits.bytes - self.bytes
            || keyed && self.keys.len() >= self.limits.keys
        {
            return Err(QueueError::Full);
        }
        let id = JobId(self.next);
        self.next += 1;
        if keyed {
            self.forget.insert(
                (now.saturating_add(self.limits.window), id),
                job.key.clone(),
            );
            self.keys.insert(job.key, id);
        }
        self.bytes += job.payload.len();
        self.counts[place(State::Dead)] += 1;
        self.jobs.insert(
            id,
            Job {
                payload: job.payload,
                priority: job.priority,
                attempts: 0,
                state: State::Dead,
            },
        );
        let state = match job.delay.min(self.limits.longest) {
            0 => State::Ready,
            delay => State::Delayed(now.saturating_add(delay)),
        };
        self.set(id, state);
        Ok(Outcome::New(id))
    }

    /// Leases the job that is first for `time` milliseconds; none if no job is ready.
    pub fn lease(&mut self, now: u64, time: u64) -> Option<Lease> {
        self.advance(now);
        let &(_, id) = self.ready.first()?;
        let until = now.saturating_add(time.clamp(1, self.limits.longest.max(1)));
        let token = next_random(&mut self.random);
        self.set(id, State::Leased { until, token });
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
    pub fn acknowledge(&mut self, now: u64, id: JobId, token: Token) -> Result<(), QueueError> {
        self.held(now, id, token)?;
        self.remove(id);
        Ok(())
    }

    /// The lease ends `time` milliseconds from now; its new end is returned.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoLease`].
    pub fn extend(
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
    pub fn fail(&mut self, now: u64, id: JobId, token: Token) -> Result<Outcome, QueueError> {
        self.held(now, id, token)?;
        Ok(self.retry(now, id))
    }

    /// All dead letters, the oldest job first.
    pub fn dead_letters(&self) -> impl Iterator<Item = DeadLetter<'_>> {
        let dead = self.jobs.iter().filter(|(_, job)| job.state == State::Dead);
        dead.map(|(&id, job)| DeadLetter {
            id,
            attempts: job.attempts,
            payload: &job.payload,
        })
    }

    /// Makes a dead letter a ready job again, with all its attempts before it.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`].
    pub fn requeue(&mut self, id: JobId) -> Result<(), QueueError> {
        self.dead(id)?.attempts = 0;
        self.set(id, State::Ready);
        Ok(())
    }

    /// Removes a dead letter.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`].
    pub fn purge(&mut self, id: JobId) -> Result<(), QueueError> {
        self.dead(id)?;
        self.remove(id);
        Ok(())
    }

    /// Ends the delays and leases whose time has come, and forgets old keys. A lease that ends so is a failed attempt.
    pub fn advance(&mut self, now: u64) {
        while let Some(&(at, id)) = self.timers.first().filter(|(at, _)| *at <= now) {
            match self.jobs.get(&id).map(|job| job.state) {
                Some(State::Leased { .. }) => _ = self.retry(at, id),
                _ => self.set(id, State::Ready),
            }
        }
        while let Some(entry) = self
            .forget
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            self.keys.remove(&entry.remove());
        }
    }

    /// When the next delay or lease ends: nothing changes by itself before.
    pub fn next_change(&self) -> Option<u64> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// What the queue holds.
    pub fn statistics(&self) -> Statistics {
        let [ready, delayed, leased, dead] = self.counts;
        Statistics {
            ready,
            delayed,
            leased,
            dead,
            bytes: self.bytes,
        }
    }

    fn held(&mut self, now: u64, id: JobId, token: Token) -> Result<(), QueueError> {
        self.advance(now);
        match self.jobs.get(&id).map(|job| job.state) {
            Some(State::Leased { token: of, .. }) if of == token.0 => Ok(()),
            _ => Err(QueueError::NoLease),
        }
    }

    fn dead(&mut self, id: JobId) -> Result<&mut Job, QueueError> {
        let job = self
            .jobs
            .get_mut(&id)
            .filter(|job| job.state == State::Dead);
        job.ok_or(QueueError::NoDeadLetter)
    }

    fn retry(&mut self, now: u64, id: JobId) -> Outcome {
        let attempts = self.jobs.get(&id).map_or(0, |job| job.attempts);
        if attempts >= self.limits.attempts {
            self.set(id, State::Dead);
            return Outcome::Dead;
        }
        let wait = self
            .limits
            .backoff
            .wait(attempts, next_random(&mut self.random));
        let at = now.saturating_add(wait);
        self.set(id, State::Delayed(at));
        Outcome::Retry(at)
    }

    /// Changes a job's state, and what is kept by state.
    fn set(&mut self, id: JobId, state: State) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let (old, priority) = (
            core::mem::replace(&mut job.state, state),
            Reverse(job.priority),
        );
        self.counts[place(old)] -= 1;
        self.counts[place(state)] += 1;
        match old {
            State::Ready => _ = self.ready.remove(&(priority, id)),
            State::Delayed(at) | State::Leased { until: at, .. } => {
                _ = self.timers.remove(&(at, id))
            }
            State::Dead => {}
        }
        match state {
            State::Ready => _ = self.ready.insert((priority, id)),
            State::Delayed(at) | State::Leased { until: at, .. } => {
                _ = self.timers.insert((at, id))
            }
            State::Dead => {}
        }
    }

    fn remove(&mut self, id: JobId) {
        self.set(id, State::Dead);
        if let Some(job) = self.jobs.remove(&id) {
            self.counts[place(State::Dead)] -= 1;
            self.bytes -= job.payload.len();
        }
    }
}

fn place(state: State) -> usize {
    match state {
        State::Ready => 0,
        State::Delayed(_) => 1,
        State::Leased { .. } => 2,
        State::Dead => 3,
    }
}
