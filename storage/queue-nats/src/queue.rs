//! The queue, as its user sees it.

use std::fmt;

use morgana_queue::{
    DeadLetter, JobId, JobQueue, Lease, NewJob, Outcome, QueueError, Statistics, Token,
};

use crate::backend::Backend;
use crate::thread::Thread;
use crate::{OpenError, Settings};

/// A queue in a stream of a NATS server, which any number of programs may share.
pub struct NatsQueue {
    thread: Thread,
    backend: Backend,
}

impl NatsQueue {
    /// Opens the queue of a stream, or begins one.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let thread = Thread::start(settings.bell.clone()).map_err(|_| OpenError::Thread)?;
        let opened = thread.run(async move {
            let backend = Backend::open(settings).await?;
            backend.begin_to_follow().await?;
            let swept = backend.sweep_unfinished().await;
            swept.map_err(|_| OpenError::Refused)?;
            Ok(backend)
        });
        let backend = opened.await.map_err(|_| OpenError::Thread)??;
        Ok(Self { thread, backend })
    }

    /// Does something with the stream, over there.
    async fn ask<T: Send + 'static, F>(
        &self,
        what: impl FnOnce(Backend) -> F,
    ) -> Result<T, QueueError>
    where
        F: Future<Output = Result<T, QueueError>> + Send + 'static,
    {
        self.thread.run(what(self.backend.clone())).await?
    }
}

impl JobQueue for NatsQueue {
    async fn enqueue(&self, job: NewJob) -> Result<Outcome, QueueError> {
        self.ask(|backend| async move { backend.enqueue(job).await })
            .await
    }

    async fn lease(&self, time: u64) -> Result<Option<Lease>, QueueError> {
        self.ask(|backend| async move { backend.lease(time).await })
            .await
    }

    async fn acknowledge(&self, id: JobId, token: Token) -> Result<(), QueueError> {
        self.ask(|backend| async move { backend.acknowledge(id, token).await })
            .await
    }

    async fn extend(&self, id: JobId, token: Token, time: u64) -> Result<u64, QueueError> {
        self.ask(|backend| async move { backend.extend(id, token, time).await })
            .await
    }

    async fn fail(&self, id: JobId, token: Token) -> Result<Outcome, QueueError> {
        self.ask(|backend| async move { backend.fail(id, token).await })
            .await
    }

    async fn dead_letters(&self, from: JobId, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.backend.dead_letters(from, most))
    }

    async fn requeue(&self, id: JobId) -> Result<(), QueueError> {
        self.ask(|backend| async move { backend.requeue(id).await })
            .await
    }

    async fn purge(&self, id: JobId) -> Result<(), QueueError> {
        self.ask(|backend| async move { backend.purge(id).await })
            .await
    }

    async fn statistics(&self) -> Result<Statistics, QueueError> {
        Ok(self.backend.statistics())
    }
}

impl fmt::Debug for NatsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsQueue")
            .field("settings", &self.backend.settings)
            .finish_non_exhaustive()
    }
}
