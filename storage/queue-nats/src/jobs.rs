//! The rules of a queue, over a stream. Nobody else need be told that a lease or a delay has ended: whoever looks sees it by the time.

use std::cmp::Reverse;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use morgana_queue::{JobId, Lease, Outcome, QueueError, Statistics, Token};

use crate::backend::Backend;
use crate::record::{Job, State};

/// How often something is tried while others are faster.
pub(crate) const TRIES: usize = 100;

/// A job that was found: its place in the stream, and what it was.
pub(crate) struct Found {
    pub(crate) token: String,
    pub(crate) sequence: u64,
    pub(crate) job: Job,
}

impl Backend {
    pub(crate) fn now(&self) -> u64 {
        (self.settings.clock)()
    }

    /// How a job is at a time.
    pub(crate) fn state(&self, job: &Job, now: u64) -> State {
        match job.state {
            State::Leased { until, .. } if until <= now => self.after_failure(job, until),
            state => state,
        }
    }

    /// How a job is whose attempt has failed at a time. All who look come to the same.
    fn after_failure(&self, job: &Job, at: u64) -> State {
        let limits = &self.settings.limits;
        let most = if job.most == 0 {
            limits.attempts
        } else {
            job.most
        };
        if job.attempts >= most {
            return State::Dead;
        }
        let chance = mix(job.id ^ u64::from(job.attempts).rotate_left(32));
        State::Ready(at.saturating_add(limits.backoff.wait(job.attempts, chance)))
    }

    pub(crate) fn find(&self, id: u64) -> Option<Found> {
        let mirror = self.mirror();
        let (token, known) = mirror.find(id)?;
        Some(Found {
            token: token.to_owned(),
            sequence: known.sequence,
            job: known.value.clone(),
        })
    }

    pub(crate) async fn lease(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        for _ in 0..TRIES {
            let now = self.now();
            let Some(found) = self.first(now) else {
                return Ok(None);
            };
            let until = now.saturating_add(time.clamp(1, self.settings.limits.longest.max(1)));
            let token = random();
            let leased = Job {
                state: State::Leased { until, token },
                attempts: found.job.attempts.saturating_add(1),
                ..found.job
            };
            let lease = Lease {
                id: JobId(leased.id),
                token: Token(token),
                attempt: leased.attempts,
                until,
                payload: leased.payload.clone(),
            };
            let replaced = self.replace(&found.token, found.sequence, leased);
            if replaced.await?.is_some() {
                return Ok(Some(lease));
            }
        }
        Ok(None)
    }

    /// The job that is to be leased next.
    fn first(&self, now: u64) -> Option<Found> {
        let mirror = self.mirror();
        let ready = mirror.jobs.iter().filter(
            |(_, known)| matches!(self.state(&known.value, now), State::Ready(at) if at <= now),
        );
        let (token, known) =
            ready.min_by_key(|(_, known)| (Reverse(known.value.priority), known.value.id))?;
        Some(Found {
            token: token.clone(),
            sequence: known.sequence,
            job: known.value.clone(),
        })
    }

    /// A job whose lease is held by this token; the server is asked if it is not known to be.
    async fn held(&self, id: JobId, token: Token) -> Result<Found, QueueError> {
        let held = |found: &Found| match self.state(&found.job, self.now()) {
            State::Leased { token: of, .. } => of == token.0,
            _ => false,
        };
        let found = self.find(id.0).ok_or(QueueError::NoLease)?;
        if held(&found) {
            return Ok(found);
        }
        let subject = self.subject("job", &found.token);
        if let Some((sequence, payload)) = self.last(&subject).await? {
            self.learn(&subject, sequence, &payload);
        }
        let found = self.find(id.0).filter(held);
        found.ok_or(QueueError::NoLease)
    }

    pub(crate) async fn acknowledge(&self, id: JobId, token: Token) -> Result<(), QueueError> {
        for _ in 0..TRIES {
            let found = self.held(id, token).await?;
            if self.remove_job(&found.token, found.sequence).await? {
                return Ok(());
            }
        }
        Err(QueueError::NoLease)
    }

    pub(crate) async fn extend(
        &self,
        id: JobId,
        token: Token,
        time: u64,
    ) -> Result<u64, QueueError> {
        for _ in 0..TRIES {
            let found = self.held(id, token).await?;
            let longest = self.settings.limits.longest.max(1);
            let until = self.now().saturating_add(time.clamp(1, longest));
            let state = State::Leased {
                until,
                token: token.0,
            };
            let extended = Job { state, ..found.job };
            let replaced = self.replace(&found.token, found.sequence, extended);
            if replaced.await?.is_some() {
                return Ok(until);
            }
        }
        Err(QueueError::NoLease)
    }

    pub(crate) async fn fail(&self, id: JobId, token: Token) -> Result<Outcome, QueueError> {
        for _ in 0..TRIES {
            let found = self.held(id, token).await?;
            let state = self.after_failure(&found.job, self.now());
            let failed = Job { state, ..found.job };
            let replaced = self.replace(&found.token, found.sequence, failed);
            if replaced.await?.is_some() {
                return match state {
                    State::Ready(at) => Ok(Outcome::Retry(at)),
                    _ => {
                        self.drop_dead_letters().await?;
                        Ok(Outcome::Dead)
                    }
                };
            }
        }
        Err(QueueError::NoLease)
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let (mirror, now) = (self.mirror(), self.now());
        let mut statistics = Statistics {
            bytes: mirror.bytes,
            ..Statistics::default()
        };
        for known in mirror.jobs.values() {
            let count = match self.state(&known.value, now) {
                State::Ready(at) if at <= now => &mut statistics.ready,
                State::Ready(_) | State::Pending(_) => &mut statistics.delayed,
                State::Leased { .. } => &mut statistics.leased,
                State::Dead => &mut statistics.dead,
            };
            *count += 1;
        }
        statistics
    }
}

/// A random number: the standard library's keys come from the kernel.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// SplitMix64's last steps: chance that all who look agree on.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
