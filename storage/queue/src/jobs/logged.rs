//! What goes into the log, and comes out of it.

use alloc::vec::Vec;

use super::Jobs;
use crate::JobId;
use crate::record::{Batches, Malformed, Record};

impl Jobs {
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
}
