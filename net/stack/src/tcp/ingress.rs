//! Segments that arrive.

use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::socket::tcp::Socket;
use smoltcp::wire::TcpControl;

use super::TcpError;
use super::connection::{Body, Connection, HANDSHAKE, Stage, new_socket};
use super::emit::BareSegment;
use super::names::Late;
use super::table::ConnectionId;
use super::wire::Wire;
use crate::engine::Engine;
use crate::flow::FlowKey;
use crate::frame::Segment;
use crate::phy::Ingress;
use crate::time::{instant_to_smoltcp, to_smoltcp};

/// How long the acknowledgement of little may wait.
const ACK_DELAY: Duration = Duration::from_millis(10);

impl Engine {
    /// A TCP segment for one of our addresses, its checksum verified.
    pub(crate) fn segment(&mut self, segment: &Segment, frame: &mut [u8], now: Instant) {
        if let Some(id) = self.tcp.names.connection(&segment.flow) {
            self.feed_connection(id, segment, frame, now);
            return;
        }
        match self.tcp.names.late(segment, now) {
            Some(Late::Answer(answer)) => {
                answer.reply(&mut self.reply, self.mac, segment.from_mac, self.offload);
                return;
            }
            Some(Late::Ignore) => return,
            Some(Late::Reopens) | None => {}
        }
        let port = segment.flow.local.port();
        if self.tcp.listeners.contains_key(&port) {
            if segment.opens() {
                self.open(segment, frame, now);
                return;
            }
            if self.accept_cookie(segment, frame, now) {
                return;
            }
        }
        self.stats.tcp_strays += 1;
        if let Some(reset) = reset(segment) {
            reset.reply(&mut self.reply, self.mac, segment.from_mac, self.offload);
        }
    }

    /// A SYN for a listener.
    fn open(&mut self, segment: &Segment, frame: &mut [u8], now: Instant) {
        let Some(listening) = self.tcp.listeners.get(&segment.flow.local.port()) else {
            return;
        };
        if listening.is_full() {
            self.stats.tcp_backlog_full += 1;
            return;
        }
        if listening.is_busy() {
            self.send_cookie(segment, now);
            return;
        }
        if self.tcp.len() >= self.limits.connections {
            self.stats.tcp_connections_full += 1;
            return;
        }
        let options = listening.options.tcp;
        let Some(lease) = self.lease(&options, now) else {
            self.stats.tcp_memory_full += 1;
            return;
        };
        let mut set = new_socket(lease, &options);
        let socket = set.get_mut::<Socket<'_>>(Connection::handle());
        if socket.listen(segment.flow.local).is_err() {
            return;
        }
        let initial = self.initial_sequence(&segment.flow, now);
        let id = self.tcp.insert(Connection::new(
            segment.flow,
            Stage::Opening {
                until: now + HANDSHAKE,
            },
            Body::Live(set),
            Wire::new(initial, self.ip_mtu),
            lease,
            options,
        ));
        if let Some(listening) = self.tcp.listeners.get_mut(&segment.flow.local.port()) {
            listening.opening += 1;
        }
        self.feed_connection(id, segment, frame, now);
    }

    /// An initial sequence number: RFC 6528 section 3, a clock of 4 µs and a keyed hash of the connection's name.
    pub(crate) fn initial_sequence(&self, flow: &FlowKey, now: Instant) -> u32 {
        let clock = (now.as_nanos() / 4_000) as u32;
        clock.wrapping_add(self.secret.hash(&flow.words()) as u32)
    }

    /// A segment for a connection.
    pub(crate) fn feed_connection(
        &mut self,
        id: ConnectionId,
        segment: &Segment,
        frame: &mut [u8],
        now: Instant,
    ) {
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        connection.touched = true;
        connection.asked = None;
        if matches!(connection.body, Body::Parked) {
            if let Some(answer) = without_socket(connection, segment) {
                if let Some(answer) = answer {
                    answer.reply(&mut self.reply, self.mac, segment.from_mac, self.offload);
                }
                return;
            }
            if !self.revive(id, now) {
                self.stats.tcp_memory_full += 1;
                return;
            }
        }
        let Some(connection) = self.tcp.get(id) else {
            return;
        };
        connection.wire.incoming(segment, frame);
        let own_segment = connection.wire.own_segment(segment.flow.local.is_ipv4());
        let Body::Live(set) = &mut connection.body else {
            return;
        };
        set.get_mut::<Socket<'_>>(Connection::handle())
            .set_ack_delay(Some(ack_delay(segment, own_segment)));
        let mut device = Ingress {
            capabilities: &self.capabilities,
            offload: self.offload,
            frame: Some(frame),
            wire: Some(&mut connection.wire),
            reply: &mut self.reply,
        };
        let smoltcp_now = instant_to_smoltcp(now);
        self.interface
            .poll_ingress_single(smoltcp_now, &mut device, set);
        if segment.control == TcpControl::Rst
            && connection.socket().is_some_and(|socket| !socket.is_open())
        {
            connection.broken = Some(TcpError::Reset);
            self.stats.tcp_resets += 1;
        }
        self.settle(id, now);
        self.tcp.make_ready(id);
    }
}

/// The answer to a segment that belongs to no connection (RFC 9293 section 3.10.7.1). It goes back where that came from: smoltcp would ask for the sender's Ethernet address and forget the answer, and whoever speaks to a server
/// that has begun anew would wait for the next retransmission, and the next.
fn reset(segment: &Segment) -> Option<BareSegment> {
    let flags = match segment.control {
        TcpControl::Rst => return None,
        TcpControl::Syn | TcpControl::Fin => 1,
        TcpControl::None | TcpControl::Psh => 0,
    };
    let (sequence, acknowledgement) = match segment.acknowledgement {
        Some(acknowledged) => (acknowledged, None),
        None => {
            let len = segment.payload as u32 + flags;
            (0, Some(segment.sequence.wrapping_add(len)))
        }
    };
    Some(BareSegment {
        from: segment.flow.local,
        to: segment.flow.remote,
        control: TcpControl::Rst,
        sequence,
        acknowledgement,
        window: 0,
        max_segment: None,
        window_scale: None,
        sack_permitted: false,
    })
}

/// How long a segment's acknowledgement may wait, so that an answer takes it along. RFC 9293 section 3.8.6.3: every second full-sized
/// segment is to be acknowledged at once, and one that is longer than a link takes was several before they were merged. A sender
/// that begins slowly sends one such, and then waits.
fn ack_delay(segment: &Segment, full_size: u16) -> smoltcp::time::Duration {
    to_smoltcp(if segment.payload > usize::from(full_size) {
        Duration::ZERO
    } else {
        ACK_DELAY
    })
}

/// What a parked connection does about a segment without coming back to life: `Some(None)` is nothing, `None` is that it cannot.
fn without_socket(connection: &mut Connection, segment: &Segment) -> Option<Option<BareSegment>> {
    let wire = &mut connection.wire;
    let plain = matches!(segment.control, TcpControl::None | TcpControl::Psh)
        && segment.acknowledgement == Some(wire.send_next);
    if !plain {
        return None;
    }
    if segment.payload == 0 && segment.sequence == wire.receive_next {
        wire.send_window = u32::from(segment.window) << wire.window_scale.unwrap_or(0);
        return Some(None);
    }
    // RFC 9293 section 3.8.4: a keep-alive segment has the number before the next, and a byte that means nothing, or none.
    if segment.payload <= 1 && segment.sequence == wire.receive_next.wrapping_sub(1) {
        return Some(Some(BareSegment {
            from: segment.flow.local,
            to: segment.flow.remote,
            control: TcpControl::None,
            sequence: wire.send_next,
            acknowledgement: Some(wire.receive_next),
            window: wire.receive_window,
            max_segment: None,
            window_scale: None,
            sack_permitted: false,
        }));
    }
    None
}
