//! The rules of a queue, over a stream. Nobody else need be told that a lease or a delay has ended: whoever looks sees it by the time.

use std::cmp::Reverse;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use morgana_queue::{DeadLetter, JobId, Lease, NewJob, Outcome, QueueError, Statistics, Token};

use crate::backend::{Backend, Published};
use crate::record::{Job, Key, State};

/// How often something is tried while others are faster.
const TRIES: usize = 100;
/// Forgotten keys that are removed with a job that is put in, and how long an unfinished one may take.
const SWEPT: usize = 8;
const UNFINISHED: u64 = 60_000;

/// A job that was found: its place in the stream, and what it was.
struct Found {
    token: String,
    sequence: u64,
    job: Job,
}

impl Backend {
    fn now(&self) -> u64 {
        (self.settings.clock)()
    }

    /// How a job is at a time.
    fn state(&self, job: &Job, now: u64) -> State {
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

    fn find(&self, id: u64) -> Option<Found> {
        let mirror = self.mirror();
        let (token, known) = mirror.find(id)?;
        Some(Found {
            token: token.to_owned(),
            sequence: known.sequence,
            job: known.value.clone(),
        })
    }

    pub(crate) async fn enqueue(&self, new: NewJob) -> Result<Outcome, QueueError> {
        let limits = self.settings.limits;
        if new.payload.len() > limits.payload || new.key.len() > limits.key {
            return Err(QueueError::TooLarge);
        }
        let now = self.now();
        self.sweep_keys(now).await?;
        if let Some(id) = self.taken(&new.key, now) {
            self.finish(id).await?;
            return Ok(Outcome::Duplicate(JobId(id)));
        }
        {
            let mirror = self.mirror();
            let keyed = !new.key.is_empty() && !mirror.keys.contains_key(&new.key);
            if mirror.jobs.len() >= limits.jobs
                || new.payload.len() > limits.bytes.saturating_sub(mirror.bytes)
                || keyed && mirror.keys.len() >= limits.keys
            {
                return Err(QueueError::Full);
            }
        }
        let keyed = !new.key.is_empty();
        let at = now.saturating_add(new.delay.min(limits.longest));
        let state = match (keyed, new.delay) {
            (true, _) => State::Pending(at),
            (false, 0) => State::Ready(0),
            (false, _) => State::Ready(at),
        };
        let job = Job {
            id: 0,
            state,
            attempts: 0,
            most: new.attempts,
            priority: new.priority,
            key: new.key,
            payload: new.payload,
        };
        let token = format!("{:016x}{:016x}", random(), random());
        let published = self.publish(self.subject("job", &token), 0, job.encode());
        let Published::Yes(id) = published.await? else {
            // Nobody else has such a token.
            return Err(QueueError::Peer);
        };
        let key = job.key.clone();
        self.mirror().job(&token, id, job);
        match keyed {
            false => Ok(Outcome::New(JobId(id))),
            true => self.take(&token, id, &key, now).await,
        }
    }

    /// Takes the key of a job that was put in; if somebody else was faster, the job goes again.
    async fn take(
        &self,
        token: &str,
        id: u64,
        key: &[u8],
        now: u64,
    ) -> Result<Outcome, QueueError> {
        let until = now.saturating_add(self.settings.limits.window);
        for _ in 0..TRIES {
            if let Some(other) = self.taken(key, now) {
                self.remove_job(token, id).await?;
                self.finish(other).await?;
                return Ok(Outcome::Duplicate(JobId(other)));
            }
            let after = self
                .mirror()
                .keys
                .get(key)
                .map_or(0, |known| known.sequence);
            if self.take_key(key, after, Key { id, until }).await? {
                self.finish(id).await?;
                return match self.find(id) {
                    Some(_) => Ok(Outcome::New(JobId(id))),
                    None => Err(QueueError::Unknown),
                };
            }
        }
        Err(QueueError::Unknown)
    }

    /// The job that has a key, if one has.
    fn taken(&self, key: &[u8], now: u64) -> Option<u64> {
        let mirror = self.mirror();
        let known = mirror.keys.get(key)?;
        (known.value.until > now).then_some(known.value.id)
    }

    /// Lets a job be leased whose key is taken: its producer may have died before it could.
    async fn finish(&self, id: u64) -> Result<(), QueueError> {
        if let Some(found) = self.find(id)
            && let State::Pending(at) = found.job.state
        {
            let ready = Job {
                state: State::Ready(at),
                ..found.job
            };
            // Somebody else may have done so.
            self.replace(&found.token, found.sequence, ready).await?;
        }
        Ok(())
    }

    /// Ends what producers that died have left.
    pub(crate) async fn sweep_unfinished(&self) -> Result<(), QueueError> {
        let now = self.now();
        let pending: Vec<u64> = {
            let mirror = self.mirror();
            let jobs = mirror.jobs.values().map(|known| &known.value);
            jobs.filter(|job| matches!(job.state, State::Pending(_)))
                .map(|job| job.id)
                .collect()
        };
        for id in pending {
            let Some(found) = self.find(id) else { continue };
            let State::Pending(at) = found.job.state else {
                continue;
            };
            if self.taken(&found.job.key, now) == Some(id) {
                self.finish(id).await?;
            } else if at.saturating_add(UNFINISHED) < now {
                self.remove_job(&found.token, found.sequence).await?;
            }
        }
        Ok(())
    }

    /// Removes some keys whose time is over, when there are many.
    async fn sweep_keys(&self, now: u64) -> Result<(), QueueError> {
        let over: Vec<_> = {
            let mirror = self.mirror();
            if mirror.keys.len() < self.settings.limits.keys / 2 {
                return Ok(());
            }
            let over = mirror.keys.iter();
            over.filter(|(_, known)| known.value.until <= now)
                .map(|(key, known)| (key.clone(), known.sequence))
                .take(SWEPT)
                .collect()
        };
        for (key, sequence) in over {
            self.remove_key(&key, sequence).await?;
        }
        Ok(())
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

    /// The numbers of all dead letters from one on.
    fn dead(&self, from: u64) -> Vec<u64> {
        let (mirror, now) = (self.mirror(), self.now());
        let ids = mirror.tokens.range(from..).map(|(id, _)| *id);
        let is_dead = |id: &u64| {
            let found = mirror.find(*id);
            found.is_some_and(|(_, known)| self.state(&known.value, now) == State::Dead)
        };
        ids.filter(is_dead).collect()
    }

    async fn drop_dead_letters(&self) -> Result<(), QueueError> {
        let dead = self.dead(0);
        let beyond = dead.len().saturating_sub(self.settings.limits.dead);
        for id in dead.into_iter().take(beyond) {
            if let Some(found) = self.find(id) {
                self.remove_job(&found.token, found.sequence).await?;
            }
        }
        Ok(())
    }

    pub(crate) fn dead_letters(&self, from: JobId, most: usize) -> Vec<DeadLetter> {
        let ids = self.dead(from.0).into_iter().take(most);
        let letters = ids.filter_map(|id| {
            let job = self.find(id)?.job;
            Some(DeadLetter {
                id: JobId(id),
                attempts: job.attempts,
                payload: job.payload,
            })
        });
        letters.collect()
    }

    fn letter(&self, id: JobId) -> Result<Found, QueueError> {
        let now = self.now();
        let found = self.find(id.0);
        let found = found.filter(|found| self.state(&found.job, now) == State::Dead);
        found.ok_or(QueueError::NoDeadLetter)
    }

    pub(crate) async fn requeue(&self, id: JobId) -> Result<(), QueueError> {
        let found = self.letter(id)?;
        let again = Job {
            state: State::Ready(0),
            attempts: 0,
            ..found.job
        };
        let replaced = self.replace(&found.token, found.sequence, again).await?;
        replaced.map(drop).ok_or(QueueError::NoDeadLetter)
    }

    pub(crate) async fn purge(&self, id: JobId) -> Result<(), QueueError> {
        let found = self.letter(id)?;
        match self.remove_job(&found.token, found.sequence).await? {
            true => Ok(()),
            false => Err(QueueError::NoDeadLetter),
        }
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
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// SplitMix64's last steps: chance that all who look agree on.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
