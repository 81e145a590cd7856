//! What a stream has, as far as is known here: the last message of each subject.

use std::collections::{BTreeMap, HashMap};

use crate::record::{Job, Key};

/// What is known of a subject, with the sequence of the message that says so.
#[derive(Clone, Debug)]
pub(crate) struct Known<T> {
    pub(crate) sequence: u64,
    pub(crate) value: T,
}

/// The last messages of all subjects. What is older than what is known is dropped, so that it may come twice and late.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    /// By their tokens in the subject.
    pub(crate) jobs: HashMap<String, Known<Job>>,
    /// By number.
    pub(crate) tokens: BTreeMap<u64, String>,
    pub(crate) keys: HashMap<Vec<u8>, Known<Key>>,
    /// Bytes of all payloads.
    pub(crate) bytes: usize,
    /// Messages that were removed, and may still come from who follows the stream.
    removed: BTreeMap<u64, ()>,
    /// Up to where the stream was followed.
    followed: u64,
}

impl Mirror {
    /// A message of a job's subject.
    pub(crate) fn job(&mut self, token: &str, sequence: u64, mut job: Job) {
        if job.id == 0 {
            job.id = sequence;
        }
        let older = |known: &Known<Job>| known.sequence >= sequence;
        if self.jobs.get(token).is_some_and(older) || self.removed.contains_key(&sequence) {
            return;
        }
        self.bytes += job.payload.len();
        self.tokens.insert(job.id, token.to_owned());
        let known = Known {
            sequence,
            value: job,
        };
        if let Some(before) = self.jobs.insert(token.to_owned(), known) {
            self.bytes -= before.value.payload.len();
        }
    }

    /// A message of a key's subject.
    pub(crate) fn key(&mut self, key: Vec<u8>, sequence: u64, value: Key) {
        let older = |known: &Known<Key>| known.sequence >= sequence;
        if self.keys.get(&key).is_some_and(older) || self.removed.contains_key(&sequence) {
            return;
        }
        self.keys.insert(key, Known { sequence, value });
    }

    /// The message is gone, and so is its job.
    pub(crate) fn remove_job(&mut self, token: &str, sequence: u64) {
        self.remove(sequence);
        let same = |known: &Known<Job>| known.sequence <= sequence;
        if self.jobs.get(token).is_some_and(same)
            && let Some(gone) = self.jobs.remove(token)
        {
            self.bytes -= gone.value.payload.len();
            self.tokens.remove(&gone.value.id);
        }
    }

    /// The message is gone, and so is its key.
    pub(crate) fn remove_key(&mut self, key: &[u8], sequence: u64) {
        self.remove(sequence);
        let same = |known: &Known<Key>| known.sequence <= sequence;
        if self.keys.get(key).is_some_and(same) {
            self.keys.remove(key);
        }
    }

    fn remove(&mut self, sequence: u64) {
        if sequence > self.followed {
            self.removed.insert(sequence, ());
        }
    }

    /// All messages up to this one have come from who follows the stream.
    pub(crate) fn followed(&mut self, sequence: u64) {
        self.followed = self.followed.max(sequence);
        self.removed = self.removed.split_off(&(self.followed + 1));
    }

    /// A job and what is known of it.
    pub(crate) fn find(&self, id: u64) -> Option<(&str, &Known<Job>)> {
        let token = self.tokens.get(&id)?;
        let known = self.jobs.get(token)?;
        Some((token, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::State;

    fn job(payload: &[u8]) -> Job {
        Job {
            id: 0,
            state: State::Ready(0),
            attempts: 0,
            most: 0,
            priority: 0,
            key: Vec::new(),
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn what_comes_late_or_after_its_removal_is_dropped() {
        let mut mirror = Mirror::default();
        mirror.job("a", 5, job(b"12"));
        let second = Job {
            id: 5,
            ..job(b"123")
        };
        mirror.job("a", 7, second.clone());
        mirror.job("a", 5, job(b"12"));
        assert_eq!(mirror.find(5).unwrap().1.value, second);
        assert_eq!(mirror.bytes, 3);
        mirror.remove_job("a", 7);
        mirror.job("a", 7, second);
        assert!(mirror.find(5).is_none() && mirror.jobs.is_empty());
        assert_eq!(mirror.bytes, 0);
        mirror.followed(7);
        assert!(mirror.removed.is_empty());
        mirror.key(b"k".to_vec(), 8, Key { id: 5, until: 1 });
        mirror.remove_key(b"k", 8);
        assert!(mirror.keys.is_empty());
    }
}
