//! Where a node is, and the way to it: a vchan on the same host, TCP otherwise.

use alloc::string::String;
use core::net::SocketAddr;
use core::task::{Context, Poll};

use morgana_hal::{ByteStream, DomId, StreamError};
use morgana_net_stack::TcpStream;

/// Where a node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its host: an id that all domains of a host know and no other host has.
    pub host: u128,
    /// Its domain there.
    pub domain: DomId,
    /// The path in xenstore at which it offers vchans.
    pub path: String,
    /// Where it listens for TCP.
    pub tcp: SocketAddr,
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
    /// Connects by `vchan` if `own_host` is the place's, and by `tcp` if it is not or there is no vchan. Both have to give up at some time.
    ///
    /// # Errors
    ///
    /// That of `tcp`.
    pub async fn dial<V, T, E, F>(
        &self,
        own_host: u128,
        vchan: impl AsyncFnOnce(DomId, &str) -> Result<V, E>,
        tcp: impl AsyncFnOnce(SocketAddr) -> Result<T, F>,
    ) -> Result<Way<V, T>, F> {
        if own_host == self.host
            && let Ok(stream) = vchan(self.domain, &self.path).await
        {
            return Ok(Way::Vchan(stream));
        }
        tcp(self.tcp).await.map(Way::Tcp)
    }
}

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
