//! A connection as a byte stream.

use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};
use core::time::Duration;

use embedded_io_async::{ErrorType, Read, Write};
use morgana_hal::Instant;
use smoltcp::socket::tcp::{RecvError, Socket, State};

use super::connection::{Body, Connection, End, Stage, new_socket};
use super::options::ConnectOptions;
use super::table::ConnectionId;
use super::wire::Wire;
use super::{ConnectError, TcpError};
use crate::engine::Engine;
use crate::flow::FlowKey;
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

/// How long a reset may wait for the peer's Ethernet address.
const RESET: Duration = Duration::from_secs(3);

impl Engine {
    fn connect(
        &mut self,
        remote: SocketAddr,
        options: &ConnectOptions,
        now: Instant,
    ) -> Result<ConnectionId, ConnectError> {
        if remote.port() == 0 || !self.is_host(remote.ip()) {
            return Err(ConnectError::BadAddress);
        }
        let local = self.source_for(remote.ip()).ok_or(ConnectError::NoRoute)?;
        if self.tcp.len() >= self.limits.connections {
            return Err(ConnectError::TooManyConnections);
        }
        let flow = self
            .free_port(|engine, port| {
                let flow = FlowKey {
                    remote,
                    local: SocketAddr::new(local, port),
                };
                let tcp = &engine.tcp;
                let taken = tcp.flows.contains_key(&flow)
                    || tcp.time_waits.contains(&flow)
                    || tcp.listeners.contains_key(&port);
                (!taken).then_some(flow)
            })
            .ok_or(ConnectError::PortsExhausted)?;
        let lease = self.lease(now).ok_or(ConnectError::NoMemory)?;
        let mut set = new_socket(lease, &options.tcp);
        let socket: &mut Socket<'_> = set.get_mut(Connection::handle());
        socket
            .connect(self.interface.context(), flow.remote, flow.local)
            .map_err(|_| ConnectError::BadAddress)?;
        let wire = Wire::new(self.initial_sequence(&flow, now));
        let id = self.tcp.insert(Connection::new(
            flow,
            Stage::Connecting,
            Body::Live(set),
            wire,
            lease,
            options.tcp,
        ));
        self.tcp.make_ready(id);
        Ok(id)
    }

    /// Reads; the second value says whether the peer is to be told of more room.
    fn poll_read(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        now: Instant,
    ) -> (Poll<Result<usize, TcpError>>, bool) {
        let Some(connection) = self.tcp.get(id) else {
            return (Poll::Ready(Err(TcpError::Closed)), false);
        };
        match &mut connection.body {
            Body::Ended(End::Finished) => (Poll::Ready(Ok(0)), false),
            Body::Ended(End::Refused) => (Poll::Ready(Err(TcpError::Reset)), false),
            Body::Ended(End::Broken(error)) => (Poll::Ready(Err(*error)), false),
            Body::Parked => {
                connection.reader = Some(cx.waker().clone());
                (Poll::Pending, false)
            }
            Body::Live(set) => {
                let socket: &mut Socket<'_> = set.get_mut(Connection::handle());
                if buf.is_empty() {
                    return (Poll::Ready(Ok(0)), false);
                }
                if socket.can_recv() {
                    // Only an error if the connection is not open, and then there would be nothing to receive.
                    let read = socket.recv_slice(buf).unwrap_or(0);
                    connection.touched = true;
                    let more = self.after_read(id, now);
                    return (Poll::Ready(Ok(read)), more);
                }
                if socket.may_recv() {
                    connection.reader = Some(cx.waker().clone());
                    return (Poll::Pending, false);
                }
                let result = match socket.recv_slice(buf) {
                    Err(RecvError::Finished) => Ok(0),
                    Ok(_) | Err(RecvError::InvalidState) => {
                        Err(connection.broken.unwrap_or(TcpError::Closed))
                    }
                };
                (Poll::Ready(result), false)
            }
        }
    }

    /// After bytes were read: whether there is something to send, such as a larger window.
    fn after_read(&mut self, id: ConnectionId, now: Instant) -> bool {
        self.settle(id, now);
        let smoltcp_now = crate::time::instant_to_smoltcp(now);
        let Some(connection) = self.tcp.get(id) else {
            return false;
        };
        let Body::Live(set) = &connection.body else {
            return false;
        };
        let due = self
            .interface
            .poll_at(smoltcp_now, set)
            .is_some_and(|at| at <= smoltcp_now);
        due && self.tcp.make_ready(id)
    }

    fn poll_write(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        buf: &[u8],
        now: Instant,
    ) -> Poll<Result<usize, TcpError>> {
        let Some(connection) = self.tcp.get(id) else {
            return Poll::Ready(Err(TcpError::Closed));
        };
        if connection.closing {
            return Poll::Ready(Err(TcpError::Closed));
        }
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if matches!(connection.body, Body::Parked) && !self.revive(id, now) {
            self.stats.tcp_memory_full += 1;
            self.tcp.memory_waiters.register(cx.waker());
            return Poll::Pending;
        }
        let Some(connection) = self.tcp.get(id) else {
            return Poll::Ready(Err(TcpError::Closed));
        };
        let broken = connection.broken;
        match &mut connection.body {
            Body::Ended(End::Broken(error)) => return Poll::Ready(Err(*error)),
            Body::Ended(_) | Body::Parked => return Poll::Ready(Err(TcpError::Closed)),
            Body::Live(_) => {}
        }
        let Some(socket) = connection.socket() else {
            return Poll::Ready(Err(TcpError::Closed));
        };
        match socket.send_slice(buf) {
            Ok(0) => {
                connection.writer = Some(cx.waker().clone());
                Poll::Pending
            }
            Ok(written) => {
                connection.touched = true;
                self.tcp.make_ready(id);
                Poll::Ready(Ok(written))
            }
            Err(_) => Poll::Ready(Err(broken.unwrap_or(TcpError::Closed))),
        }
    }

    fn shutdown(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        connection.closing = true;
        if matches!(connection.body, Body::Parked) && !self.revive(id, now) {
            // There is no memory even for saying goodbye.
            self.stats.tcp_memory_full += 1;
            self.tcp.end(id, End::Finished);
            return;
        }
        if let Some(connection) = self.tcp.get(id)
            && let Some(socket) = connection.socket()
        {
            socket.close();
        }
        self.settle(id, now);
        self.tcp.make_ready(id);
    }

    /// Resets a connection that no stream stands for any more.
    pub(crate) fn abort(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        if matches!(connection.body, Body::Parked) && !self.revive(id, now) {
            // The peer will learn when it sends something.
            self.tcp.remove(id);
            return;
        }
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        let (stage, port) = (connection.stage, connection.flow.local.port());
        connection.closing = true;
        connection.stage = Stage::Orphan { until: now + RESET };
        let Some(socket) = connection.socket() else {
            self.tcp.remove(id);
            return;
        };
        socket.abort();
        if let Some(listening) = self.tcp.listeners.get_mut(&port) {
            listening.forget(id, stage);
        }
        self.tcp.make_ready(id);
    }

    /// The stream has been dropped.
    fn let_go(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        if matches!(connection.body, Body::Ended(_)) {
            self.tcp.remove(id);
            return;
        }
        if matches!(connection.stage, Stage::Orphan { .. }) {
            return;
        }
        let until = now + connection.options.linger;
        connection.stage = Stage::Orphan { until };
        connection.reader = None;
        connection.writer = None;
        self.shutdown(id, now);
        if self
            .tcp
            .get(id)
            .is_some_and(|connection| matches!(connection.body, Body::Ended(_)))
        {
            self.tcp.remove(id);
        }
    }
}
