//! The state of a queue in memory and what changes it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::backoff::next_random;
use crate::job::{Job, State};
use crate::record::{Batches, Malformed, Record};
use crate::{DeadLetter, JobId, Lease, Limits, NewJob, Outcome, QueueError, Statistics, Token};

/// The jobs. Every operation is told the time, in milliseconds from any point; it must not run backwards.
#[derive(Debug)]
pub(crate) struct Jobs {
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
    /// What the log does not have yet: jobs that changed or went, and when the key ends that such a job was put in with.
    changed: BTreeMap<JobId, Option<u64>>,
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
            keys: BTreeMap::new(),
            forget: BTreeMap::new(),
            counts: [0; 4],
            changed: BTreeMap::new(),
        }
    }

    /// So that tokens differ from those of an earlier run, whatever the seed.
    pub(crate) fn reseed(&mut self, run: u64) {
        self.random ^= run.rotate_left(32);
    }

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
            state,
            logged: false,
        };
        self.put(id, put);
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
        Ok(self.retry(now, id))
    }

    /// The dead letters with numbers from `from` on, the oldest job first.
    pub(crate) fn dead_letters(&self, from: JobId) -> impl Iterator<Item = DeadLetter> {
        let dead = self
            .jobs
            .range(from..)
            .filter(|(_, job)| job.state == State::Dead);
        dead.map(|(&id, job)| DeadLetter {
            id,
            attempts: job.attempts,
            payload: job.payload.clone(),
        })
    }

    /// Makes a dead letter a ready job again, with all its attempts before it.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`].
    pub(crate) fn requeue(&mut self, id: JobId) -> Result<(), QueueError> {
        self.dead(id)?.attempts = 0;
        self.set(id, State::Ready);
        Ok(())
    }

    /// Removes a dead letter.
    ///
    /// # Errors
    ///
    /// [`QueueError::NoDeadLetter`].
    pub(crate) fn purge(&mut self, id: JobId) -> Result<(), QueueError> {
        self.dead(id)?;
        self.remove(id);
        Ok(())
    }

    /// Ends the delays and leases whose time has come, and forgets old keys. A lease that ends so is a failed attempt.
    pub(crate) fn advance(&mut self, now: u64) {
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
            let (id, key) = (entry.key().1, entry.remove());
            // A log may have the key again, for a later job.
            if self.keys.get(&key) == Some(&id) {
                self.keys.remove(&key);
            }
        }
    }

    /// When the next delay or lease ends: nothing changes by itself before.
    pub(crate) fn next_change(&self) -> Option<u64> {
        self.timers.first().map(|&(at, _)| at)
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

    /// What has changed since this or [`snapshot`](Self::snapshot) was called last, for the log.
    pub(crate) fn changes(&mut self) -> Batches {
        let mut batches = Batches::default();
        for (id, key_until) in core::mem::take(&mut self.changed) {
            // In one batch, so that neither is there without the other.
            let mut unit = Vec::new();
            match self.jobs.get_mut(&id) {
                Some(job) if job.logged => Record::set(&mut unit, id, job),
                Some(job) => {
                    job.logged = true;
                    Record::put(&mut unit, id, job);
                }
                None => Record::remove(&mut unit, id),
            }
            if let Some(until) = key_until
                && let Some(key) = self.forget.get(&(until, id))
            {
                Record::key(&mut unit, id, until, key);
            }
            batches.add(&unit);
        }
        batches
    }

    /// All there is, for the log.
    pub(crate) fn snapshot(&mut self) -> Batches {
        self.changed.clear();
        let mut batches = Batches::default();
        let mut unit = Vec::new();
        Record::next(&mut unit, JobId(self.next));
        batches.add(&unit);
        for (&id, job) in &mut self.jobs {
            job.logged = true;
            unit.clear();
            Record::put(&mut unit, id, job);
            batches.add(&unit);
        }
        for (&(until, id), key) in &self.forget {
            unit.clear();
            Record::key(&mut unit, id, until, key);
            batches.add(&unit);
        }
        batches
    }

    /// Does what a batch of the log says.
    pub(crate) fn restore(&mut self, batch: &[u8]) -> Result<(), Malformed> {
        let mut rest = batch;
        while !rest.is_empty() {
            let id = match Record::decode(&mut rest)? {
                Record::Put(id, job) => {
                    if self.jobs.contains_key(&id) {
                        return Err(Malformed);
                    }
                    self.put(id, job);
                    id
                }
                Record::Set(id, attempts, state) => {
                    self.jobs.get_mut(&id).ok_or(Malformed)?.attempts = attempts;
                    self.set(id, state);
                    id
                }
                Record::Remove(id) => {
                    self.remove(id);
                    id
                }
                Record::Key(id, until, key) => {
                    self.remember(id, until, key);
                    id
                }
                Record::Next(id) => {
                    self.next = self.next.max(id.0);
                    continue;
                }
            };
            self.next = self.next.max(id.0.saturating_add(1));
        }
        Ok(())
    }

    /// What a crash may not change, but by what was under way: each job and each key, by name.
    #[cfg(test)]
    pub(crate) fn view(&self) -> BTreeMap<Vec<u8>, View> {
        let jobs = self.jobs.iter().map(|(id, job)| {
            let view = View {
                id: *id,
                attempts: job.attempts,
                dead: job.state == State::Dead,
                payload: job.payload.clone(),
            };
            (id.0.to_be_bytes().to_vec(), view)
        });
        let keys = self.keys.iter().map(|(key, id)| {
            let view = View {
                id: *id,
                attempts: 0,
                dead: false,
                payload: Vec::new(),
            };
            (key.clone(), view)
        });
        jobs.chain(keys).collect()
    }

    fn put(&mut self, id: JobId, mut job: Job) {
        let state = core::mem::replace(&mut job.state, State::Dead);
        self.bytes += job.payload.len();
        self.counts[place(State::Dead)] += 1;
        self.jobs.insert(id, job);
        self.set(id, state);
    }

    fn remember(&mut self, id: JobId, until: u64, key: Vec<u8>) {
        self.keys.insert(key.clone(), id);
        self.forget.insert((until, id), key);
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
        self.changed.entry(id).or_default();
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

/// A job, or a key and its job.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) id: JobId,
    pub(crate) attempts: u32,
    pub(crate) dead: bool,
    pub(crate) payload: Vec<u8>,
}

fn place(state: State) -> usize {
    match state {
        State::Ready => 0,
        State::Delayed(_) => 1,
        State::Leased { .. } => 2,
        State::Dead => 3,
    }
}
