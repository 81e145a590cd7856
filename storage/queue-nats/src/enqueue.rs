//! Putting jobs in, with keys and without.

use morgana_queue::{JobId, NewJob, Outcome, QueueError};

use crate::backend::{Backend, Published};
use crate::jobs::{TRIES, random};
use crate::record::{Job, Key, State};

/// Forgotten keys that are removed with a job that is put in, and how long an unfinished one may take.
const SWEPT: usize = 8;
const UNFINISHED: u64 = 60_000;

impl Backend {
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
    pub(crate) async fn finish(&self, id: u64) -> Result<(), QueueError> {
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
}
