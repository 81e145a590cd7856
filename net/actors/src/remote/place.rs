//! Where a node is, and the way to it: a vchan on the same host, TCP otherwise.

use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;
use core::task::{Context, Poll};
use core::time::Duration;

use morgana_exec::Timers;
use morgana_hal::{ByteStream, DomId, StreamError};
use morgana_net_stack::TcpStream;

/// Where a node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where it offers vchans, if it does.
    pub near: Option<Near>,
    /// Where it listens for TCP.
    pub tcp: SocketAddr,
}

/// Where a node offers vchans, to domains of its own host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Near {
    /// Its host: an id that all domains of a host know and no other host has.
    pub host: u128,
    /// Its domain there.
    pub domain: DomId,
    /// The path in xenstore at which it offers them.
    pub path: String,
}

/// One of two kinds of streams.
#[derive(Debug)]
pub enum Way<V, T> {
    /// Shared memory.
    Vchan(V),
    /// TCP.
    Tcp(T),
}

/// A TCP connection as a stream.
#[derive(Debug)]
pub struct Tcp(pub TcpStream);

impl Place {
    /// Connects by `vchan` if `own_host` is the place's, and by `tcp` if it is not, or there is no vchan within the first half of the time. It takes no longer
    /// than `within`; what then is still under way is dropped.
    ///
    /// # Errors
    ///
    /// [`DialError`].
    pub async fn dial<V, T, E, F>(
        &self,
        own_host: Option<u128>,
        timers: &Timers,
        within: Duration,
        vchan: impl AsyncFnOnce(DomId, &str) -> Result<V, E>,
        tcp: impl AsyncFnOnce(SocketAddr) -> Result<T, F>,
    ) -> Result<Way<V, T>, DialError<F>> {
        let begin = timers.now();
        let near = self.near.as_ref();
        if let Some(near) = near.filter(|near| own_host == Some(near.host)) {
            let attempt = vchan(near.domain, &near.path);
            if let Ok(Ok(stream)) = timers.timeout(within / 2, attempt).await {
                return Ok(Way::Vchan(stream));
            }
        }
        let left = within.saturating_sub(timers.now().since(begin));
        match timers.timeout(left, tcp(self.tcp)).await {
            Ok(made) => made.map(Way::Tcp).map_err(DialError::Tcp),
            Err(_) => Err(DialError::Late),
        }
    }
}

/// Why there is no way to a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DialError<F> {
    /// The time is over.
    Late,
    /// TCP's reason. If a vchan was tried before, there was none.
    Tcp(F),
}

impl<F: fmt::Display> fmt::Display for DialError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("not connected in time"),
            Self::Tcp(error) => error.fmt(f),
        }
    }
}

impl<F: fmt::Display + fmt::Debug> core::error::Error for DialError<F> {}

impl<V: ByteStream, T: ByteStream> ByteStream for Way<V, T> {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        match self {
            Self::Vchan(stream) => stream.poll_read(cx, buffer),
            Self::Tcp(stream) => stream.poll_read(cx, buffer),
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        match self {
            Self::Vchan(stream) => stream.poll_write(cx, bytes),
            Self::Tcp(stream) => stream.poll_write(cx, bytes),
        }
    }
}

impl ByteStream for Tcp {
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        match self.0.poll_read(cx, buffer) {
            Poll::Ready(Ok(0)) if !buffer.is_empty() => Poll::Ready(Err(StreamError::Closed)),
            other => other.map_err(|_| StreamError::Closed),
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, StreamError>> {
        self.0
            .poll_write(cx, bytes)
            .map_err(|_| StreamError::Closed)
    }
}
