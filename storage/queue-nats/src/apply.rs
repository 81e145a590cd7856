//! Changes of one job or key: on the server first, then in what is known here.

use morgana_queue::QueueError;

use crate::backend::{Backend, Published};
use crate::record::{Job, Key, hex};

impl Backend {
    /// Replaces what is known of a job, if it is still so; a job that is not is learnt anew, and `None` is returned.
    pub(crate) async fn replace(
        &self,
        token: &str,
        after: u64,
        job: Job,
    ) -> Result<Option<u64>, QueueError> {
        let subject = self.subject("job", token);
        match self.publish(subject.clone(), after, job.encode()).await? {
            Published::Yes(sequence) => {
                self.mirror().job(token, sequence, job);
                Ok(Some(sequence))
            }
            Published::Raced => {
                match self.last(&subject).await? {
                    Some((sequence, payload)) => self.learn(&subject, sequence, &payload),
                    None => self.mirror().remove_job(token, after),
                }
                Ok(None)
            }
        }
    }

    /// Removes a job, if it is still so.
    pub(crate) async fn remove_job(&self, token: &str, sequence: u64) -> Result<bool, QueueError> {
        let done = self.remove(sequence).await?;
        self.mirror().remove_job(token, sequence);
        match done {
            true => self.tell_removed(&format!("job.{token}"), sequence).await,
            // What it is now, if it is there at all.
            false => {
                let subject = self.subject("job", token);
                if let Some((sequence, payload)) = self.last(&subject).await? {
                    self.learn(&subject, sequence, &payload);
                }
            }
        }
        Ok(done)
    }

    /// Takes a key, if it is still so.
    pub(crate) async fn take_key(
        &self,
        name: &[u8],
        after: u64,
        key: Key,
    ) -> Result<bool, QueueError> {
        let subject = self.subject("key", &hex(name));
        match self.publish(subject.clone(), after, key.encode()).await? {
            Published::Yes(sequence) => {
                self.mirror().key(name.to_vec(), sequence, key);
                Ok(true)
            }
            Published::Raced => {
                match self.last(&subject).await? {
                    Some((sequence, payload)) => self.learn(&subject, sequence, &payload),
                    None => self.mirror().remove_key(name, after),
                }
                Ok(false)
            }
        }
    }

    /// Removes a key.
    pub(crate) async fn remove_key(&self, name: &[u8], sequence: u64) -> Result<(), QueueError> {
        let done = self.remove(sequence).await?;
        self.mirror().remove_key(name, sequence);
        if done {
            let what = format!("key.{}", hex(name));
            self.tell_removed(&what, sequence).await;
        }
        Ok(())
    }
}
