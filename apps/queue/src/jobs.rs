//! Putting jobs in, and what their workers say of them.

use alloc::format;

use morgana_block::BlockDevice;
use morgana_http::{Exchange, Read, Response, Status, Write, read_to_end};
use morgana_queue::{JobId, JobQueue, NewJob, Outcome, QueueError, Token};

use crate::Service;
use crate::answer::{Answered, Refusal, json};
use crate::parameters::Parameters;

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone + 'static> Service<D, C> {
    pub(crate) async fn enqueue<S: Read + Write>(
        &self,
        query: Option<&str>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Answered {
        let known = &["priority", "delay_ms", "attempts", "key"];
        let parameters = Parameters::parse(query, known)?;
        let (priority, delay) = (
            parameters.number("priority")?,
            parameters.number("delay_ms")?,
        );
        let (attempts, key) = (parameters.number("attempts")?, parameters.bytes("key")?);
        let payload = read_to_end(exchange, self.settings.queue.payload).await;
        let job = NewJob {
            payload: payload.map_err(Refusal::Body)?,
            key,
            priority: priority.unwrap_or(0),
            delay: delay.unwrap_or(0),
            attempts: attempts.unwrap_or(0),
        };
        let queue = self.store.queue()?;
        match queue.enqueue(job).await? {
            Outcome::Duplicate(id) => Ok(json(
                Status::OK,
                format!("{{\"id\":{},\"duplicate\":true}}", id.0),
            )),
            Outcome::New(id) => Ok(json(Status::CREATED, format!("{{\"id\":{}}}", id.0))),
            // Neither is what becomes of a job that is put in.
            Outcome::Retry(_) | Outcome::Dead => Err(Refusal::Queue(QueueError::Peer)),
        }
    }

    pub(crate) async fn acknowledge(&self, id: Option<&str>, query: Option<&str>) -> Answered {
        let id = number(id)?;
        let token = Token(Parameters::parse(query, &["token"])?.wanted("token")?);
        let queue = self.store.queue()?;
        let done = queue.acknowledge(id, token).await;
        done.map_err(|error| self.not_held(id, error))?;
        Ok(Response::empty(Status::NO_CONTENT))
    }

    pub(crate) async fn fail(&self, id: Option<&str>, query: Option<&str>) -> Answered {
        let id = number(id)?;
        let token = Token(Parameters::parse(query, &["token"])?.wanted("token")?);
        let queue = self.store.queue()?;
        let outcome = queue.fail(id, token).await;
        let text = match outcome.map_err(|error| self.not_held(id, error))? {
            Outcome::Retry(at) => {
                let wait = at.saturating_sub(queue.time());
                format!("{{\"retry_in_ms\":{wait}}}")
            }
            _ => "{\"dead\":true}".into(),
        };
        Ok(json(Status::OK, text))
    }

    pub(crate) async fn extend(&self, id: Option<&str>, query: Option<&str>) -> Answered {
        let id = number(id)?;
        let parameters = Parameters::parse(query, &["token", "ms"])?;
        let (token, time) = (Token(parameters.wanted("token")?), parameters.wanted("ms")?);
        let queue = self.store.queue()?;
        let extended = queue.extend(id, token, time).await;
        extended.map_err(|error| self.not_held(id, error))?;
        Ok(Response::empty(Status::NO_CONTENT))
    }

    /// A token that is worth nothing any more, or no job at all.
    fn not_held(&self, id: JobId, error: QueueError) -> Refusal {
        let queue = self.store.queue();
        match (error, queue.and_then(|queue| queue.contains(id))) {
            (QueueError::NoLease, Ok(false)) => Refusal::NoJob,
            _ => error.into(),
        }
    }
}

/// The number of a job in a path.
pub(crate) fn number(id: Option<&str>) -> Result<JobId, Refusal> {
    let digits = id.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|id| id.parse().ok());
    number.map(JobId).ok_or(Refusal::NoResource)
}
