//! What a stream asks of its connection.

use core::net::SocketAddr;
use core::task::{Context, Poll};
use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::socket::tcp::{RecvError, Socket};

use super::connection::{Body, Connection, End, Stage, new_socket};
use super::options::ConnectOptions;
use super::table::ConnectionId;
use super::wire::Wire;
use super::{ConnectError, TcpError};
use crate::engine::Engine;
use crate::flow::FlowKey;

/// How long a reset may wait for the peer's Ethernet address.
const RESET: Duration = Duration::from_secs(3);

impl Engine {
    /// Begins a connection.
    pub(crate) fn connect(
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
                let taken = tcp.names.is_taken(&flow) || tcp.listeners.contains_key(&port);
                (!taken).then_some(flow)
            })
            .ok_or(ConnectError::PortsExhausted)?;
        let lease = self
            .lease(&options.tcp, now)
            .ok_or(ConnectError::NoMemory)?;
        let mut set = new_socket(lease, &options.tcp);
        let socket: &mut Socket<'_> = set.get_mut(Connection::handle());
        socket
            .connect(self.interface.context(), flow.remote, flow.local)
            .map_err(|_| ConnectError::BadAddress)?;
        let wire = Wire::new(self.initial_sequence(&flow, now), self.ip_mtu);
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
    pub(crate) fn poll_read(
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

    /// Writes.
    pub(crate) fn poll_write(
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

    /// Ends our half.
    pub(crate) fn shutdown(&mut self, id: ConnectionId, now: Instant) {
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
        let (stage, flow) = (connection.stage, connection.flow);
        if self.tcp.names.connection(&flow) != Some(id) {
            // It is over on the wire, and had unread bytes at most.
            self.tcp.remove(id);
            return;
        }
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        connection.closing = true;
        connection.stage = Stage::Orphan { until: now + RESET };
        let Some(socket) = connection.socket() else {
            self.tcp.remove(id);
            return;
        };
        socket.abort();
        if let Some(listening) = self.tcp.listeners.get_mut(&flow.local.port()) {
            listening.forget(id, stage);
        }
        self.tcp.make_ready(id);
    }

    /// The stream has been dropped.
    pub(crate) fn let_go(&mut self, id: ConnectionId, now: Instant) {
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
