//! One server that is asked again and again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_exec::Timers;

use super::{Ask, Client, ClientError, ClientLimits, Connect};
use crate::wire::{Method, Status};

/// A server, asked over connections that are made when they are needed. One that is idle is kept for the next request; as many requests may be under way as there are callers.
pub struct Origin<C: Connect> {
    connect: C,
    address: SocketAddr,
    host: String,
    timers: Timers,
    time: Duration,
    idle: RefCell<Option<Client<C::Stream>>>,
}

/// What an [`Origin`] answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The content.
    pub content: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskError {
    /// The server cannot be connected to: it has not got the request.
    Connect,
    /// The time for connecting and answering is over. The server may have done what was asked.
    TimedOut,
    /// The connection came to this. But for [`ClientError::Unfit`] the server may have done what was asked.
    Client(ClientError),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("cannot connect"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AskError {}

impl<C: Connect> Origin<C> {
    /// The server at `address`, each of whose answers may take so long, connecting included.
    pub fn new(connect: C, address: SocketAddr, timers: Timers, time: Duration) -> Self {
        Self {
            connect,
            address,
            host: address.to_string(),
            timers,
            time,
            idle: RefCell::new(None),
        }
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for `target`, with these fields and this content, and reads the answer, of at most `limit` bytes. If a kept connection turns out to be closed, a request that may be
    /// repeated (RFC 9110 §9.2.2) is sent again over a new one; any other goes over a new one from the start.
    ///
    /// # Errors
    ///
    /// [`AskError`].
    pub async fn ask(
        &self,
        method: Method,
        target: &str,
        fields: &[(&str, &str)],
        content: &[u8],
        limit: usize,
    ) -> Result<Answer, AskError> {
        let ask = Ask {
            method,
            target,
            host: &self.host,
            fields,
        };
        let asking = self.try_both(&ask, content, limit);
        let asked = self.timers.timeout(self.time, asking).await;
        asked.unwrap_or(Err(AskError::TimedOut))
    }

    /// A GET without further fields.
    ///
    /// # Errors
    ///
    /// [`AskError`].
    pub async fn get(&self, target: &str, limit: usize) -> Result<Answer, AskError> {
        self.ask(Method::Get, target, &[], &[], limit).await
    }

    async fn try_both(
        &self,
        ask: &Ask<'_>,
        content: &[u8],
        limit: usize,
    ) -> Result<Answer, AskError> {
        if repeats(ask.method)
            && let Some(client) = self.kept().await
        {
            match self.exchange(client, ask, content, limit).await {
                Err(ClientError::Closed | ClientError::Stream) => {}
                answered => return answered.map_err(AskError::Client),
            }
        }
        let connecting = self.connect.connect(self.address);
        let stream = connecting.await.map_err(|_| AskError::Connect)?;
        let client = Client::new(stream, self.timers.clone(), ClientLimits::DEFAULT);
        let answered = self.exchange(client, ask, content, limit).await;
        answered.map_err(AskError::Client)
    }

    /// A connection from before that is still good.
    async fn kept(&self) -> Option<Client<C::Stream>> {
        let mut client = self.idle.take()?;
        client.is_still_idle().await.then_some(client)
    }

    async fn exchange(
        &self,
        mut client: Client<C::Stream>,
        ask: &Ask<'_>,
        content: &[u8],
        limit: usize,
    ) -> Result<Answer, ClientError> {
        let mut reply = client.send(ask, content).await?;
        let status = Status::new(reply.head().code());
        let content = reply.read_to_end(limit).await?;
        if client.is_idle() {
            self.idle.replace(Some(client));
        }
        // The parser takes three digits only.
        let status = status.unwrap_or(Status::BAD_GATEWAY);
        Ok(Answer { status, content })
    }
}

impl<C: Connect> fmt::Debug for Origin<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Whether a request may be sent twice.
const fn repeats(method: Method) -> bool {
    !matches!(method, Method::Post | Method::Patch)
}
