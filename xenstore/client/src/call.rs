//! One request and its answer, as a future.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use morgana_xenstore_wire::{Request, RequestId, TransactionId};

use crate::Error;
use crate::connection::Connection;

/// Waits for the answer. Dropping it lets the answer be swallowed when it comes.
#[derive(Debug)]
pub(crate) struct Call {
    connection: Rc<Connection>,
    id: RequestId,
}

impl Future for Call {
    type Output = Result<Vec<u8>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.connection.state.borrow_mut().poll_answer(cx, self.id)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.connection.state.borrow_mut().abandon(self.id);
    }
}

impl Connection {
    /// Sends a request when it is its turn, and waits for the answer; for all this there is one time-out.
    pub(crate) async fn call(
        self: &Rc<Self>,
        request: Request<'_>,
        transaction: TransactionId,
        token: Option<u32>,
    ) -> Result<Vec<u8>, Error> {
        let answered = async {
            let id = poll_fn(|cx| {
                let mut state = self.state.borrow_mut();
                let polled = state.poll_enqueue(cx, &request, transaction, token);
                if let (Poll::Ready(Ok(_)), Some(token)) = (&polled, token)
                    && let Some(events) = state.watches.get_mut(&token)
                {
                    events.sent = true;
                }
                polled
            })
            .await?;
            self.answer(id).await
        };
        self.in_time(answered).await
    }

    /// Sends a request that ends something, at once, and waits for the answer.
    pub(crate) async fn end(
        self: &Rc<Self>,
        request: Request<'_>,
        transaction: TransactionId,
    ) -> Result<Vec<u8>, Error> {
        let id = self
            .state
            .borrow_mut()
            .enqueue(&request, transaction, None)?;
        self.in_time(self.answer(id)).await
    }

    fn answer(self: &Rc<Self>, id: RequestId) -> Call {
        Call {
            connection: self.clone(),
            id,
        }
    }

    async fn in_time<T>(
        &self,
        answered: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let timeout = self.config.request_timeout;
        match self.timers.timeout(timeout, answered).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut),
        }
    }
}
