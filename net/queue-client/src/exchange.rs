//! One request and its answer, or several attempts at it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_block::BlockError;
use morgana_exec::Timers;
use morgana_http::{Ask, Client, ClientError, ClientLimits, Connect, Method, Read, Write};
use morgana_queue::{MAX_PAYLOAD, QueueError};

use crate::Settings;
use crate::pool::Pool;
use crate::reading::digits_to_number;
use crate::target::Target;

/// Bytes of an answer's content: a page of dead letters is the longest.
const CONTENT: usize = 512 << 10;

const LIMITS: ClientLimits = ClientLimits {
    // A key, percent-encoded, is the longest part of it.
    request_head: 4096,
    head: 2048,
    headers: 32,
    // The whole exchange has a limit.
    head_time: Duration::from_secs(3600),
    ..ClientLimits::DEFAULT
};

/// What is asked.
#[derive(Debug)]
pub(crate) struct Errand<'e> {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) content: &'e [u8],
    /// How long the service was asked to wait.
    pub(crate) wait: Duration,
    pub(crate) repeat: Repeat,
}

impl Errand<'_> {
    pub(crate) const fn new(method: Method, target: Target) -> Self {
        Self {
            method,
            target,
            content: &[],
            wait: Duration::ZERO,
            repeat: Repeat::Allowed,
        }
    }
}

/// Whether a request may be sent again when nobody knows what has become of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Repeat {
    Allowed,
    Never,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) content: Vec<u8>,
    pub(crate) job: Option<JobFields>,
    /// Whether an earlier attempt may have been heard.
    pub(crate) repeated: bool,
    has_retry_after: bool,
}

/// The fields of a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobFields {
    pub(crate) id: u64,
    pub(crate) token: u64,
    pub(crate) attempt: u64,
}

impl Answer {
    /// What an answer means that is none of those that were hoped for.
    pub(crate) fn error(&self, missing: QueueError) -> QueueError {
        match self.code {
            404 | 409 => missing,
            413 => QueueError::TooLarge,
            503 if self.has_retry_after => QueueError::Full,
            503 => QueueError::Device(BlockError::Io),
            _ => QueueError::Peer,
        }
    }
}

/// How an attempt failed.
enum Failed {
    /// Nothing was sent.
    Unreachable,
    /// It may have been heard.
    Lost,
    /// What came is no answer.
    Peer,
}

/// Those that send errands.
#[derive(Debug)]
pub(crate) struct Exchange<N: Connect> {
    pub(crate) connect: N,
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    pub(crate) timers: Timers,
    pub(crate) settings: Settings,
    pub(crate) idle: Pool<N::Stream>,
}

impl<N: Connect> Exchange<N> {
    /// Sends an errand, and again if it may be.
    pub(crate) async fn ask(&self, errand: &Errand<'_>) -> Result<Answer, QueueError> {
        let (mut pause, mut lost) = (self.settings.pause, false);
        let mut left = self.settings.attempts.max(1);
        loop {
            left -= 1;
            match self.attempt(errand).await {
                Ok(answer) => {
                    return Ok(Answer {
                        repeated: lost,
                        ..answer
                    });
                }
                Err(Failed::Peer) => return Err(QueueError::Peer),
                Err(Failed::Lost) if errand.repeat == Repeat::Never => {
                    return Err(QueueError::Unknown);
                }
                Err(Failed::Lost) => lost = true,
                Err(Failed::Unreachable) => {}
            }
            if left == 0 {
                return Err(match lost {
                    true => QueueError::Unknown,
                    false => QueueError::Unreachable,
                });
            }
            self.timers.sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }

    async fn attempt(&self, errand: &Errand<'_>) -> Result<Answer, Failed> {
        let mut client = self.client().await?;
        let time = self.settings.answer_time.saturating_add(errand.wait);
        let exchanged = self
            .timers
            .timeout(time, self.exchange(errand, &mut client));
        let answer = exchanged.await.map_err(|_| Failed::Lost)??;
        let (now, most) = (self.timers.now(), self.settings.idle);
        self.idle.put(client, now, most);
        Ok(answer)
    }

    async fn client(&self) -> Result<Client<N::Stream>, Failed> {
        let idle = self.idle.take(&self.timers, self.settings.idle_time);
        if let Some(client) = idle.await {
            return Ok(client);
        }
        let connecting = self.connect.connect(self.address);
        let connected = self.timers.timeout(self.settings.connect_time, connecting);
        let stream = connected.await.map_err(|_| Failed::Unreachable)?;
        let stream = stream.map_err(|_| Failed::Unreachable)?;
        Ok(Client::new(stream, self.timers.clone(), LIMITS))
    }

    async fn exchange<S: Read + Write>(
        &self,
        errand: &Errand<'_>,
        client: &mut Client<S>,
    ) -> Result<Answer, Failed> {
        let ask = Ask {
            method: errand.method,
            target: errand.target.as_str(),
            host: &self.host,
            fields: &[],
        };
        let reply = client.send(&ask, errand.content).await;
        let mut reply = reply.map_err(|error| failed(&error))?;
        let headers = reply.head().headers();
        let number = |name| {
            let value = headers.first(name)?;
            digits_to_number(value).ok()
        };
        let job = match (number("Job-Id"), number("Job-Token"), number("Job-Attempt")) {
            (Some(id), Some(token), Some(attempt)) => Some(JobFields { id, token, attempt }),
            _ => None,
        };
        let (code, has_retry_after) = (reply.head().code(), headers.first("Retry-After").is_some());
        let most = if job.is_some() { MAX_PAYLOAD } else { CONTENT };
        let content = reply.read_to_end(most).await;
        Ok(Answer {
            code,
            content: content.map_err(|error| failed(&error))?,
            job,
            repeated: false,
            has_retry_after,
        })
    }
}

fn failed(error: &ClientError) -> Failed {
    match error {
        ClientError::Closed
        | ClientError::CutOff
        | ClientError::Stream
        | ClientError::TimedOut
        | ClientError::Unasked => Failed::Lost,
        // What it has answered is none, or too much: to ask again would help nobody.
        _ => Failed::Peer,
    }
}
