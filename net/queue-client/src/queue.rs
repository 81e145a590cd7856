//! The queue, as its user sees it.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_http::{Connect, Method};
use morgana_queue::{
    DeadLetter, JobId, JobQueue, Lease, NewJob, Outcome, QueueError, Statistics, Token,
};

use crate::Settings;
use crate::exchange::{Answer, Errand, Exchange, Repeat};
use crate::pool::Pool;
use crate::reading::{is_true, number, page, statistics};
use crate::target::Target;

/// Dead letters that are asked for at a time.
const PAGE: usize = 100;

/// A queue in another domain. Requests at once go over connections of their own.
pub struct RemoteQueue<N: Connect>(Exchange<N>);

impl<N: Connect> RemoteQueue<N> {
    /// The queue of the service at `address`. Nothing is connected before something is asked for.
    pub fn new(connect: N, address: SocketAddr, timers: Timers, settings: Settings) -> Self {
        Self(Exchange {
            connect,
            address,
            host: address.to_string(),
            timers,
            settings,
            idle: Pool::new(),
        })
    }

    /// As [`lease`](JobQueue::lease), but waits for a job if none is ready: at most so many milliseconds, of which the service allows 20,000.
    ///
    /// # Errors
    ///
    /// As [`lease`](JobQueue::lease).
    pub async fn lease_within(&self, time: u64, wait: u64) -> Result<Option<Lease>, QueueError> {
        let target = Target::new("/leases").number("ms", time);
        let errand = Errand {
            wait: Duration::from_millis(wait),
            repeat: Repeat::Never,
            ..Errand::new(Method::Post, target.number("wait_ms", wait))
        };
        let answer = self.0.ask(&errand).await?;
        match (answer.code, answer.job) {
            (204, _) => Ok(None),
            (200, Some(job)) => Ok(Some(Lease {
                id: JobId(job.id),
                token: Token(job.token),
                attempt: u32::try_from(job.attempt).map_err(|_| QueueError::Peer)?,
                until: self.now().saturating_add(time),
                payload: answer.content,
            })),
            _ => Err(answer.error(QueueError::Peer)),
        }
    }

    fn now(&self) -> u64 {
        self.0.timers.now().as_nanos() / 1_000_000
    }

    async fn of_job(&self, id: JobId, what: &str, token: Token) -> Result<Answer, QueueError> {
        let target = Target::new(format!("/jobs/{}/{what}", id.0));
        let target = target.number("token", token.0);
        self.0.ask(&Errand::new(Method::Post, target)).await
    }
}

/// Times are those of the client's own clock.
impl<N: Connect> JobQueue for RemoteQueue<N> {
    /// Without a key, what nobody answered is [`QueueError::Unknown`]: it is not sent again. With one, it may be a duplicate of itself.
    async fn enqueue(&self, job: NewJob) -> Result<Outcome, QueueError> {
        let mut target = Target::new("/jobs").number("priority", job.priority.into());
        if job.delay > 0 {
            target = target.number("delay_ms", job.delay);
        }
        if job.attempts > 0 {
            target = target.number("attempts", job.attempts.into());
        }
        let mut repeat = Repeat::Never;
        if !job.key.is_empty() {
            target = target.bytes("key", &job.key);
            repeat = Repeat::Allowed;
        }
        let errand = Errand {
            content: &job.payload,
            repeat,
            ..Errand::new(Method::Post, target)
        };
        let answer = self.0.ask(&errand).await?;
        let id = || Ok(JobId(number(&answer.content, "id")?));
        match answer.code {
            201 => Ok(Outcome::New(id()?)),
            200 => Ok(Outcome::Duplicate(id()?)),
            _ => Err(answer.error(QueueError::Peer)),
        }
    }

    /// Lost with the connection, a lease is [`QueueError::Unknown`]: it ends by itself.
    async fn lease(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        self.lease_within(time, 0).await
    }

    async fn acknowledge(&self, id: JobId, token: Token) -> Result<(), QueueError> {
        let answer = self.of_job(id, "acknowledge", token).await?;
        match answer.code {
            204 => Ok(()),
            // It was heard the first time.
            404 if answer.repeated => Ok(()),
            _ => Err(answer.error(QueueError::NoLease)),
        }
    }

    async fn extend(&self, id: JobId, token: Token, time: u64) -> Result<u64, QueueError> {
        let target = Target::new(format!("/jobs/{}/extend", id.0));
        let target = target.number("token", token.0).number("ms", time);
        let answer = self.0.ask(&Errand::new(Method::Post, target)).await?;
        match answer.code {
            204 => Ok(self.now().saturating_add(time)),
            _ => Err(answer.error(QueueError::NoLease)),
        }
    }

    async fn fail(&self, id: JobId, token: Token) -> Result<Outcome, QueueError> {
        let answer = self.of_job(id, "fail", token).await?;
        match answer.code {
            200 if is_true(&answer.content, "dead") => Ok(Outcome::Dead),
            200 => {
                let wait = number(&answer.content, "retry_in_ms")?;
                Ok(Outcome::Retry(self.now().saturating_add(wait)))
            }
            // It may have been heard the first time, with an answer that was lost.
            404 | 409 if answer.repeated => Err(QueueError::Unknown),
            _ => Err(answer.error(QueueError::NoLease)),
        }
    }

    async fn dead_letters(&self, from: JobId, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let (mut letters, mut from) = (Vec::new(), Some(from));
        while let Some(first) = from
            && letters.len() < most
        {
            let count = PAGE.min(most - letters.len());
            let target = Target::new("/dead").number("from", first.0);
            let errand = Errand::new(Method::Get, target.number("most", count as u64));
            let answer = self.0.ask(&errand).await?;
            if answer.code != 200 {
                return Err(answer.error(QueueError::Peer));
            }
            let (page, next) = page(&answer.content)?;
            let mut expected = first;
            for letter in &page {
                if letter.id < expected {
                    return Err(QueueError::Peer);
                }
                expected = JobId(letter.id.0.saturating_add(1));
            }
            // Without a step ahead it would go on for ever.
            if page.len() > count || next.is_some_and(|next| next <= first) {
                return Err(QueueError::Peer);
            }
            letters.extend(page);
            from = next;
        }
        Ok(letters)
    }

    async fn requeue(&self, id: JobId) -> Result<(), QueueError> {
        let target = Target::new(format!("/dead/{}/requeue", id.0));
        let errand = Errand::new(Method::Post, target);
        gone(&self.0.ask(&errand).await?)
    }

    async fn purge(&self, id: JobId) -> Result<(), QueueError> {
        let target = Target::new(format!("/dead/{}", id.0));
        let errand = Errand::new(Method::Delete, target);
        gone(&self.0.ask(&errand).await?)
    }

    async fn statistics(&self) -> Result<Statistics, QueueError> {
        let errand = Errand::new(Method::Get, Target::new("/stats"));
        let answer = self.0.ask(&errand).await?;
        match answer.code {
            200 => statistics(&answer.content),
            _ => Err(answer.error(QueueError::Peer)),
        }
    }
}

/// A dead letter is none any more.
fn gone(answer: &Answer) -> Result<(), QueueError> {
    match answer.code {
        204 => Ok(()),
        // It was heard the first time.
        404 if answer.repeated => Ok(()),
        _ => Err(answer.error(QueueError::NoDeadLetter)),
    }
}

impl<N: Connect> fmt::Debug for RemoteQueue<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteQueue").finish_non_exhaustive()
    }
}
