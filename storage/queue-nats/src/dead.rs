//! Dead letters.

use morgana_queue::{DeadLetter, JobId, QueueError};

use crate::backend::Backend;
use crate::jobs::Found;
use crate::record::{Job, State};

impl Backend {
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

    pub(crate) async fn drop_dead_letters(&self) -> Result<(), QueueError> {
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
}
