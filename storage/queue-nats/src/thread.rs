//! The thread on which the client of NATS runs, and the way there and back.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use morgana_queue::QueueError;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A runtime of its own on a thread of its own, which ends with its value.
pub(crate) struct Thread {
    errands: mpsc::UnboundedSender<Errand>,
    bell: Arc<dyn Fn() + Send + Sync>,
}

impl Thread {
    pub(crate) fn start(bell: Arc<dyn Fn() + Send + Sync>) -> io::Result<Self> {
        let (errands, mut coming) = mpsc::unbounded_channel::<Errand>();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let body = move || {
            runtime.block_on(async {
                while let Some(errand) = coming.recv().await {
                    tokio::spawn(errand);
                }
            });
        };
        let builder = std::thread::Builder::new().name("nats".to_owned());
        builder.spawn(body)?;
        Ok(Self { errands, bell })
    }

    /// Runs a future there. It goes on if what is returned is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (answer, answered) = oneshot::channel();
        let bell = self.bell.clone();
        let errand = Box::pin(async move {
            // Nobody wants it any more, perhaps.
            let _ = answer.send(future.await);
            bell();
        });
        let sent = self.errands.send(errand);
        sent.map_err(|_| QueueError::Unreachable)?;
        answered.await.map_err(|_| QueueError::Unknown)
    }
}
