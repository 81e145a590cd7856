//! A connection as a byte stream.

use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};

use embedded_io_async::{ErrorType, Read, Write};
use smoltcp::socket::tcp::State;

use super::connection::{Body, End, Stage};
use super::options::ConnectOptions;
use super::table::ConnectionId;
use super::{ConnectError, TcpError};
use crate::stack::{Shared, Stack};

/// A TCP connection.
///
/// Writing fills the connection's transmit buffer, and the stack sends what is in it by itself; `flush` therefore has nothing to do, and
/// [`acknowledged`](Self::acknowledged) waits until the peer has everything. Reading returns 0 once the peer has ended its half.
///
/// Dropping the stream closes the connection gracefully, in the background: what was written is delivered, for as long as
/// [`TcpOptions::linger`](crate::TcpOptions::linger). If the peer has sent bytes that nobody read, or sends any later, it is reset.
pub struct TcpStream {
    shared: Rc<Shared>,
    id: ConnectionId,
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.local_addr())
            .field("remote", &self.remote_addr())
            .finish_non_exhaustive()
    }
}

impl TcpStream {
    pub(crate) fn new(shared: Rc<Shared>, id: ConnectionId) -> Self {
        Self { shared, id }
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`].
    pub async fn connect(
        stack: &Stack,
        remote: SocketAddr,
        options: ConnectOptions,
    ) -> Result<Self, ConnectError> {
        let shared = stack.shared.clone();
        let id = shared
            .engine
            .borrow_mut()
            .connect(remote, &options, stack.timers.now())?;
        shared.work.notify();
        // From here on dropping the future drops the stream, and with it the attempt.
        let stream = Self { shared, id };
        let opened = poll_fn(|cx| stream.poll_open(cx));
        match stack.timers.timeout(options.timeout, opened).await {
            Ok(opened) => opened.map(|()| stream),
            Err(_) => Err(ConnectError::TimedOut),
        }
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        let mut engine = self.shared.engine.borrow_mut();
        let Some(connection) = engine.tcp.get(self.id) else {
            return Poll::Ready(Err(ConnectError::TimedOut));
        };
        if let Body::Ended(how) = connection.body {
            return Poll::Ready(Err(match how {
                End::Refused => ConnectError::Refused,
                End::Broken(TcpError::AddressLost) => ConnectError::NoRoute,
                End::Finished | End::Broken(_) => ConnectError::TimedOut,
            }));
        }
        let state = connection.socket().map(|socket| socket.state());
        if matches!(state, Some(State::SynSent | State::SynReceived)) {
            connection.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        connection.stage = Stage::Open;
        Poll::Ready(Ok(()))
    }

    /// The own end.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        let mut engine = self.shared.engine.borrow_mut();
        Some(engine.tcp.get(self.id)?.flow.local)
    }

    /// The peer's end.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        let mut engine = self.shared.engine.borrow_mut();
        Some(engine.tcp.get(self.id)?.flow.remote)
    }

    /// Ends the own half: the peer reads the end of the stream after everything that was written. Reading goes on.
    pub fn shutdown(&mut self) {
        self.shared
            .engine
            .borrow_mut()
            .shutdown(self.id, self.shared.now());
        self.shared.work.notify();
    }

    /// Resets the connection: the peer learns that it broke.
    pub fn abort(self) {
        self.shared
            .engine
            .borrow_mut()
            .abort(self.id, self.shared.now());
        self.shared.work.notify();
    }

    /// Waits until the peer has acknowledged everything that was written, and the end of the stream if that was sent.
    ///
    /// # Errors
    ///
    /// The connection broke before that.
    pub async fn acknowledged(&mut self) -> Result<(), TcpError> {
        poll_fn(|cx| self.poll_acknowledged(cx)).await
    }

    fn poll_acknowledged(&self, cx: &mut Context<'_>) -> Poll<Result<(), TcpError>> {
        let mut engine = self.shared.engine.borrow_mut();
        let Some(connection) = engine.tcp.get(self.id) else {
            return Poll::Ready(Err(TcpError::Closed));
        };
        if let Body::Ended(how) = connection.body {
            return Poll::Ready(match how {
                End::Finished => Ok(()),
                End::Refused => Err(TcpError::Reset),
                End::Broken(error) => Err(error),
            });
        }
        if !connection.is_owed() {
            return Poll::Ready(Ok(()));
        }
        connection.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The stream as two halves that two futures can use.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf(self), WriteHalf(self))
    }

    /// Reads what there is, as [`Read::read`].
    pub fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<usize, TcpError>> {
        let now = self.shared.now();
        let mut engine = self.shared.engine.borrow_mut();
        let (result, more) = engine.poll_read(self.id, cx, buf, now);
        drop(engine);
        if more {
            self.shared.work.notify();
        }
        result
    }

    /// Writes what there is room for, as [`Write::write`].
    pub fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize, TcpError>> {
        let now = self.shared.now();
        let mut engine = self.shared.engine.borrow_mut();
        let result = engine.poll_write(self.id, cx, buf, now);
        drop(engine);
        if result.is_ready() {
            self.shared.work.notify();
        }
        result
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.shared
            .engine
            .borrow_mut()
            .let_go(self.id, self.shared.now());
        self.shared.work.notify();
    }
}

impl ErrorType for TcpStream {
    type Error = TcpError;
}

impl Read for TcpStream {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TcpError> {
        poll_fn(|cx| self.poll_read(cx, buf)).await
    }
}

impl Write for TcpStream {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, TcpError> {
        poll_fn(|cx| self.poll_write(cx, buf)).await
    }

    async fn flush(&mut self) -> Result<(), TcpError> {
        Ok(())
    }
}

/// The half of a stream that reads; see [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The half of a stream that writes; see [`TcpStream::split`].
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

impl ErrorType for ReadHalf<'_> {
    type Error = TcpError;
}

impl ErrorType for WriteHalf<'_> {
    type Error = TcpError;
}

impl Read for ReadHalf<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TcpError> {
        poll_fn(|cx| self.0.poll_read(cx, buf)).await
    }
}

impl Write for WriteHalf<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, TcpError> {
        poll_fn(|cx| self.0.poll_write(cx, buf)).await
    }

    async fn flush(&mut self) -> Result<(), TcpError> {
        Ok(())
    }
}
