//! SYN cookies (RFC 4987 section 3.6): handshakes that take no memory.
//!
//! While a listener has as many handshakes as it may, a SYN is answered with a segment whose sequence number is itself the memory: five
//! bits of time, three bits of segment size, and 24 bits of a keyed hash. Who acknowledges that number has received it, so the handshake is
//! complete, and the connection begins parked. What the peer's SYN offered besides (window scaling, selective acknowledgements) is lost.

use core::time::Duration;

use morgana_hal::Instant;
use smoltcp::wire::TcpControl;

use super::connection::{Body, Connection, Lease, Stage};
use super::emit::BareSegment;
use super::wire::Wire;
use crate::engine::Engine;
use crate::frame::Segment;

/// How long a tick of a cookie's time is. A cookie is good for one tick or two.
const TICK: Duration = Duration::from_secs(64);
/// The segment sizes that a cookie can remember: those of small links, of PPPoE and of Ethernet, for IPv6 and IPv4.
const SEGMENT_SIZES: [u16; 8] = [536, 1024, 1220, 1300, 1400, 1440, 1452, 1460];

impl Engine {
    /// Answers a SYN with a cookie.
    pub(crate) fn send_cookie(&mut self, segment: &Segment, now: Instant) {
        let wanted = segment.max_segment.unwrap_or(SEGMENT_SIZES[0]);
        let size = SEGMENT_SIZES
            .iter()
            .rposition(|size| *size <= wanted)
            .unwrap_or(0) as u32;
        let headers = if segment.flow.local.is_ipv4() { 40 } else { 60 };
        self.tcp.cookies_until = Some(now + 2 * TICK);
        self.stats.tcp_cookies_sent += 1;
        BareSegment {
            from: segment.flow.local,
            to: segment.flow.remote,
            control: TcpControl::Syn,
            sequence: self.cookie(segment, segment.sequence, tick(now), size),
            acknowledgement: Some(segment.sequence.wrapping_add(1)),
            window: self.window(),
            max_segment: u16::try_from(self.ip_mtu.saturating_sub(headers)).ok(),
            window_scale: None,
            sack_permitted: false,
        }
        .reply(&mut self.reply, self.mac, segment.from_mac, self.offload);
    }

    /// A segment that belongs to no connection, but goes to a listener: if it acknowledges a cookie, it opens one. True if it was dealt with.
    pub(crate) fn accept_cookie(
        &mut self,
        segment: &Segment,
        frame: &mut [u8],
        now: Instant,
    ) -> bool {
        let Some(acknowledged) = segment.acknowledgement else {
            return false;
        };
        let awaited = self.tcp.cookies_until.is_some_and(|until| now < until);
        let plain = matches!(
            segment.control,
            TcpControl::None | TcpControl::Psh | TcpControl::Fin
        );
        if !awaited || !plain {
            return false;
        }
        let cookie = acknowledged.wrapping_sub(1);
        let initial = segment.sequence.wrapping_sub(1);
        let size = cookie >> 24 & 7;
        let valid = [tick(now), tick(now).wrapping_sub(1)]
            .into_iter()
            .any(|tick| self.cookie(segment, initial, tick, size) == cookie);
        if !valid {
            return false;
        }
        let port = segment.flow.local.port();
        let Some(listening) = self.tcp.listeners.get_mut(&port) else {
            return false;
        };
        // Whoever is not accepted now will send again what it has to say, and the cookie is still good then.
        if listening.is_full() {
            self.stats.tcp_backlog_full += 1;
            return true;
        }
        let options = listening.options.tcp;
        if self.tcp.len() >= self.limits.connections {
            self.stats.tcp_connections_full += 1;
            return true;
        }
        let size = SEGMENT_SIZES[size as usize];
        let wire = Wire::after_cookie(cookie, segment, size, self.window(), self.ip_mtu);
        let id = self.tcp.insert(Connection::new(
            segment.flow,
            Stage::Queued,
            Body::Parked,
            wire,
            Lease::NONE,
            options,
        ));
        self.tcp.parked += 1;
        self.stats.tcp_accepted += 1;
        self.stats.tcp_cookies_accepted += 1;
        if let Some(listening) = self.tcp.listeners.get_mut(&port) {
            listening.enqueue(id);
        }
        self.feed_connection(id, segment, frame, now);
        true
    }

    /// The sequence number that remembers a handshake.
    fn cookie(&self, segment: &Segment, initial: u32, tick: u32, size: u32) -> u32 {
        let [a, b, c, d, e] = segment.flow.words();
        let memory = u64::from(initial) << 32 | u64::from(tick << 3 | size);
        let hash = self.secret.hash(&[a, b, c, d, e, memory]) as u32;
        (tick & 0x1f) << 27 | size << 24 | hash >> 8
    }

    /// The window of a connection that has all its buffers.
    fn window(&self) -> u16 {
        u16::try_from(self.full_lease().receive).unwrap_or(u16::MAX)
    }
}

fn tick(now: Instant) -> u32 {
    (now.as_nanos() / TICK.as_nanos() as u64) as u32
}
