//! What follows from a socket's state, after anything happened to it.

use morgana_hal::Instant;
use smoltcp::socket::tcp::State;

use super::TcpError;
use super::connection::{End, Stage};
use super::table::ConnectionId;
use crate::engine::Engine;

impl Engine {
    /// Looks at a connection's socket, and draws the conclusions: wakes its stream, hands it to its listener, or ends it.
    pub(crate) fn settle(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        let (stage, flow, broken, wire, closing) = (
            connection.stage,
            connection.flow,
            connection.broken,
            connection.wire,
            connection.closing,
        );
        let Some(socket) = connection.socket() else {
            return;
        };
        let state = socket.state();
        let unread = socket.can_recv();
        // A socket that is to send a reset keeps its ends until it has.
        let over = match state {
            State::Closed => socket.remote_endpoint().is_none(),
            // A reset in the handshake makes a socket listen again, which is not its business any more.
            State::Listen => true,
            State::TimeWait => wire.has_acknowledged_end(),
            _ => false,
        };
        if !over {
            self.progress(id, stage, state, unread);
            return;
        }
        if state == State::TimeWait && self.tcp.names.connection(&flow) == Some(id) {
            let limit = self.limits.time_wait;
            self.tcp.names.remember(flow, &wire, now, limit);
        }
        self.tcp.names.take(&flow, id);
        self.tcp.set_deadline(id, None);
        match stage {
            Stage::Opening { .. } | Stage::Queued | Stage::Orphan { .. } => self.tcp.remove(id),
            // What has arrived is still to be read, unless the peer has disowned it.
            Stage::Open if unread && broken.is_none() => {
                if let Some(connection) = self.tcp.get(id) {
                    connection.wake();
                }
            }
            Stage::Open | Stage::Connecting => {
                let how = match (broken, stage, state) {
                    (Some(TcpError::Reset), Stage::Connecting, _) => End::Refused,
                    (Some(error), _, _) => End::Broken(error),
                    (None, _, State::TimeWait) => End::Finished,
                    (None, _, _) if closing => End::Finished,
                    // smoltcp resets a socket whose address is gone, and says nothing.
                    (None, _, _) => End::Broken(TcpError::AddressLost),
                };
                self.tcp.end(id, how);
            }
        }
    }

    /// A connection that goes on.
    fn progress(&mut self, id: ConnectionId, stage: Stage, state: State, unread: bool) {
        let established = matches!(
            state,
            State::Established | State::CloseWait | State::FinWait1 | State::FinWait2
        );
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        match stage {
            Stage::Opening { .. } if established => {
                connection.stage = Stage::Queued;
                let port = connection.flow.local.port();
                self.stats.tcp_accepted += 1;
                if let Some(listening) = self.tcp.listeners.get_mut(&port) {
                    listening.opened(id);
                }
            }
            Stage::Connecting if established => {
                self.stats.tcp_connected += 1;
                connection.wake();
            }
            // Nobody will read it: RFC 9293 section 3.6.1 and RFC 2525 section 2.17 want the peer to know.
            Stage::Orphan { .. } if unread && state != State::Closed => {
                if let Some(socket) = connection.socket() {
                    socket.abort();
                }
                self.tcp.make_ready(id);
            }
            Stage::Open => {
                let Some(socket) = connection.socket() else {
                    return;
                };
                let readable = socket.can_recv() || !socket.may_recv();
                let writable = socket.can_send() || !socket.may_send();
                if readable && let Some(reader) = connection.reader.take() {
                    reader.wake();
                }
                if writable && let Some(writer) = connection.writer.take() {
                    writer.wake();
                }
            }
            _ => {}
        }
    }
}
