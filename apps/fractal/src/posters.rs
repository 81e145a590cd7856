//! Orders on their way into the queue.

use morgana_http::Connect;
use morgana_queue::{JobId, JobQueue, NewJob, Outcome, QueueError};
use morgana_queue_client::RemoteQueue;

use crate::Order;

/// The queue into which orders go (`apps/queue`).
#[derive(Debug)]
pub struct Posters<C: Connect>(RemoteQueue<C>);

impl<C: Connect> Posters<C> {
    /// Orders go to this queue.
    pub const fn new(queue: RemoteQueue<C>) -> Self {
        Self(queue)
    }

    /// Puts an order in, durably, and returns the number of the job. With a key a second one with the same key is the same order, and what gets lost on the way is sent again.
    pub(crate) async fn order(
        &self,
        order: &Order,
        key: Option<&str>,
    ) -> Result<JobId, QueueError> {
        let job = NewJob {
            payload: order.text().into_bytes(),
            key: key.unwrap_or_default().into(),
            ..NewJob::default()
        };
        match self.0.enqueue(job).await? {
            Outcome::New(id) | Outcome::Duplicate(id) => Ok(id),
            // Those are no answers to this.
            Outcome::Retry(_) | Outcome::Dead => Err(QueueError::Peer),
        }
    }
}
