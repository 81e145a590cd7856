//! Segments that leave.

use core::time::Duration;

use morgana_hal::Instant;
use morgana_net_device::Device;
use smoltcp::iface::PollResult;
use smoltcp::socket::tcp::State;

use super::TcpError;
use super::connection::{Body, End, Stage};
use super::table::ConnectionId;
use crate::engine::Engine;
use crate::phy::Egress;
use crate::time::{instant_from_smoltcp, instant_to_smoltcp};

/// When a socket that claims to have something to send, but sent nothing, is asked again.
const STALL: Duration = Duration::from_millis(10);

/// Whether the device had room for all that was to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    Enough,
    Exhausted,
}

impl Engine {
    /// Gives every connection that is ready one turn.
    pub(crate) fn send_segments<D: Device>(&mut self, device: &mut D, now: Instant) -> Room {
        self.tcp.wake_due(now);
        for _ in 0..self.tcp.ready() {
            let Some(id) = self.tcp.next_ready() else {
                break;
            };
            if self.turn(id, device, now) == Room::Exhausted {
                self.tcp.make_ready(id);
                return Room::Exhausted;
            }
        }
        Room::Enough
    }

    /// One connection's turn.
    fn turn<D: Device>(&mut self, id: ConnectionId, device: &mut D, now: Instant) -> Room {
        let smoltcp_now = instant_to_smoltcp(now);
        let Some(connection) = self.tcp.get(id) else {
            return Room::Enough;
        };
        let flow = connection.flow;
        if self.tcp.names.connection(&flow) != Some(id) {
            // It is over on the wire, and has unread bytes at most.
            return Room::Enough;
        }
        let Some(connection) = self.tcp.get(id) else {
            return Room::Enough;
        };
        if connection.gives_up_at().is_some_and(|at| at <= now) && !self.give_up(id) {
            return Room::Enough;
        }
        let Some(connection) = self.tcp.get(id) else {
            return Room::Enough;
        };
        let Body::Live(set) = &mut connection.body else {
            return Room::Enough;
        };
        let due = |at: Option<smoltcp::time::Instant>| at.is_some_and(|at| at <= smoltcp_now);
        let wanted = due(self.interface.poll_at(smoltcp_now, set));
        let mut sent = 0;
        let frames = self.stats.frames_sent;
        let mut exhausted = false;
        if wanted {
            let mut egress = Egress {
                device,
                capabilities: &self.capabilities,
                offload: self.offload,
                wire: Some(&mut connection.wire),
                stats: &mut self.stats,
                exhausted: false,
            };
            while sent < self.limits.segments_a_turn
                && self.interface.poll_egress(smoltcp_now, &mut egress, set)
                    == PollResult::SocketStateChanged
            {
                sent += 1;
            }
            exhausted = egress.exhausted;
        }
        connection.touched |= sent > 0;
        if connection.wire.take_asked() {
            connection.asked.get_or_insert(now);
        }
        if wanted && sent == 0 {
            connection.stuck.get_or_insert(now);
        } else {
            connection.stuck = None;
        }
        let own = connection.gives_up_at();
        if sent > 0 {
            self.tcp.has_sent(id);
        }
        if exhausted {
            self.tcp.set_deadline(id, own);
            return Room::Exhausted;
        }
        if wanted && sent == 0 {
            self.tcp.block(id);
            self.neighbor_is_missing(flow.remote.ip(), frames, now);
        }
        self.settle(id, now);
        self.reschedule(id, now, sent);
        Room::Enough
    }

    /// The peer has been silent for too long: resets the connection. Where not even the reset could be sent, the connection just ends, and
    /// there is no more to be sent: false.
    fn give_up(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.tcp.get(id) else {
            return false;
        };
        let stage = connection.stage;
        if let Some(socket) = connection.socket()
            && socket.state() != State::Closed
        {
            socket.abort();
            connection.broken = Some(TcpError::TimedOut);
            self.stats.tcp_timeouts += 1;
            return true;
        }
        match stage {
            Stage::Open | Stage::Connecting => {
                self.tcp.end(id, End::Broken(TcpError::TimedOut));
            }
            Stage::Opening { .. } | Stage::Queued | Stage::Orphan { .. } => self.tcp.remove(id),
        }
        false
    }

    /// Sets a connection's deadline, or makes it ready again at once, after it has sent so many segments.
    fn reschedule(&mut self, id: ConnectionId, now: Instant, sent: usize) {
        let smoltcp_now = instant_to_smoltcp(now);
        let full = self.full_lease();
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        let own = connection.gives_up_at();
        let small = connection.lease.bytes() < full.bytes();
        let Body::Live(set) = &connection.body else {
            return;
        };
        let next = match self.interface.poll_at(smoltcp_now, set) {
            Some(at) if at > smoltcp_now => Some(instant_from_smoltcp(at)),
            Some(_) if sent > 0 => {
                self.tcp.make_ready(id);
                None
            }
            Some(_) => Some(now + STALL),
            None => None,
        };
        let deadline = [next, own].into_iter().flatten().min();
        self.tcp.set_deadline(id, deadline);
        if small && deadline.is_none() {
            // When it next has something to do there may be more memory.
            self.park(id, now);
        }
    }
}
