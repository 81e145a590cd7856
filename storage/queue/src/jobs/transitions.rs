//! From state to state: what time does, and what is kept by state.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{Jobs, State, place};
use crate::backoff::next_random;
use crate::job::Job;
use crate::{JobId, Outcome, QueueError, Token};

impl Jobs {
    /// Ends the delays and leases whose time has come, and forgets old keys. A lease that ends so is a failed attempt.
    pub(crate) fn advance(&mut self, now: u64) {
        while let Some(&(at, id)) = self.timers.first().filter(|(at, _)| *at <= now) {
            match self.jobs.get(&id).map(|job| job.state) {
                Some(State::Leased { .. }) => {
                    self.totals.expired += 1;
                    self.retry(at, id);
                }
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

    pub(super) fn put(&mut self, id: JobId, mut job: Job) {
        let state = core::mem::replace(&mut job.state, State::Dead);
        self.bytes += job.payload.len();
        self.counts[place(State::Dead)] += 1;
        self.jobs.insert(id, job);
        self.set(id, state);
    }

    pub(super) fn remember(&mut self, id: JobId, until: u64, key: Vec<u8>) {
        self.keys.insert(key.clone(), id);
        self.forget.insert((until, id), key);
    }

    pub(super) fn held(&mut self, now: u64, id: JobId, token: Token) -> Result<(), QueueError> {
        self.advance(now);
        match self.jobs.get(&id).map(|job| job.state) {
            Some(State::Leased { token: of, .. }) if of == token.0 => Ok(()),
            _ => Err(QueueError::NoLease),
        }
    }

    pub(super) fn dead_letter(&mut self, id: JobId) -> Result<&mut Job, QueueError> {
        let job = self
            .jobs
            .get_mut(&id)
            .filter(|job| job.state == State::Dead);
        job.ok_or(QueueError::NoDeadLetter)
    }

    pub(super) fn retry(&mut self, now: u64, id: JobId) -> Outcome {
        let (attempts, own) = self
            .jobs
            .get(&id)
            .map_or((0, 0), |job| (job.attempts, job.most));
        let most = match own {
            0 => self.limits.attempts,
            own => own,
        };
        if attempts >= most {
            self.totals.died += 1;
            self.set(id, State::Dead);
            self.drop_dead_letters();
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

    /// Drops the oldest dead letters beyond the limit.
    fn drop_dead_letters(&mut self) {
        while self.dead.len() > self.limits.dead
            && let Some(&oldest) = self.dead.first()
        {
            self.totals.dropped += 1;
            self.remove(oldest);
        }
    }

    /// Changes a job's state, and what is kept by state.
    pub(super) fn set(&mut self, id: JobId, state: State) {
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
            State::Dead => _ = self.dead.remove(&id),
        }
        match state {
            State::Ready => _ = self.ready.insert((priority, id)),
            State::Delayed(at) | State::Leased { until: at, .. } => {
                _ = self.timers.insert((at, id))
            }
            State::Dead => _ = self.dead.insert(id),
        }
    }

    pub(super) fn remove(&mut self, id: JobId) {
        self.set(id, State::Dead);
        if let Some(job) = self.jobs.remove(&id) {
            self.counts[place(State::Dead)] -= 1;
            self.dead.remove(&id);
            self.bytes -= job.payload.len();
        }
    }
}
