//! What passes over the wire for one connection: remembered, and translated.
//!
//! A connection's sequence numbers on the wire are those of its smoltcp socket plus a constant. The constant makes two things possible:
//! initial sequence numbers that a stranger cannot guess (RFC 6528), and giving a connection a new socket in the middle of its life, whose
//! own numbers begin wherever smoltcp likes; see [`super::park`].
//!
//! The size of the largest segment is kept in check here too, both ways, because smoltcp may have been told of a larger link than there is.

use core::num::NonZeroU16;

use morgana_net_device::{GsoProtocol, Segmentation};
use smoltcp::wire::TcpControl;

use crate::frame::{ETHERNET, Segment};

/// The offset of the sequence number in a TCP header (RFC 9293 section 3.1).
const SEQUENCE: usize = 4;
/// The offset of the acknowledgement number.
const ACKNOWLEDGEMENT: usize = 8;
/// The offset of the window.
const WINDOW: usize = 14;
/// The flags' byte, and in it FIN, SYN and ACK.
const FLAGS: usize = 13;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// The segment size of a peer that names none (RFC 9293 section 3.7.1).
const DEFAULT_MAX_SEGMENT: u16 = 536;

/// One connection, as the wire sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    /// Added to the socket's sequence numbers; `None` until its first SYN fixes it.
    shift: Option<u32>,
    /// The sequence number that the first SYN is to have.
    initial: u32,
    /// The sequence number after the last byte or flag sent.
    pub(crate) send_next: u32,
    /// The last acknowledgement sent.
    pub(crate) receive_next: u32,
    /// Whether something was sent that asks for an answer, since [`Self::take_asked`] was called.
    asked: bool,
    /// The acknowledgement that covers the end of the peer's half, once that has been seen.
    pub(crate) peer_end: Option<u32>,
    /// The last window sent, as it stands in the segment: shifted if the receive buffer has more than 65,535 bytes.
    pub(crate) receive_window: u16,
    /// The peer's window in bytes.
    pub(crate) send_window: u32,
    /// The largest segment that the peer and the link take.
    pub(crate) max_segment: u16,
    /// The largest IP packet of the link.
    ip_mtu: u16,
    /// How far the peer shifts its windows, if it does.
    pub(crate) window_scale: Option<u8>,
    /// Whether the peer understands selective acknowledgements.
    pub(crate) sack_permitted: bool,
}

impl Wire {
    /// A connection that is about to begin with the sequence number `initial`.
    pub(crate) fn new(initial: u32, ip_mtu: usize) -> Self {
        Self {
            ip_mtu: u16::try_from(ip_mtu).unwrap_or(u16::MAX),
            shift: None,
            initial,
            send_next: initial,
            receive_next: 0,
            asked: false,
            peer_end: None,
            receive_window: 0,
            send_window: 0,
            max_segment: DEFAULT_MAX_SEGMENT,
            window_scale: None,
            sack_permitted: false,
        }
    }

    /// A connection whose peer has acknowledged our initial sequence number, with that segment.
    pub(crate) fn after_cookie(
        initial: u32,
        segment: &Segment,
        max_segment: u16,
        receive_window: u16,
        ip_mtu: usize,
    ) -> Self {
        let new = Self::new(initial, ip_mtu);
        Self {
            send_next: initial.wrapping_add(1),
            receive_next: segment.sequence,
            receive_window,
            send_window: u32::from(segment.window),
            max_segment: max_segment.min(new.own_segment(segment.flow.local.is_ipv4())),
            ..new
        }
    }

    /// The connection has a new socket, which believes that its next byte has the number `next`.
    pub(crate) fn resume(&mut self, next: u32) {
        self.shift = Some(self.send_next.wrapping_sub(next));
    }

    /// Whether something was sent that asks for an answer, since the last call.
    pub(crate) fn take_asked(&mut self) -> bool {
        core::mem::take(&mut self.asked)
    }

    /// Whether the end of the peer's half has been acknowledged.
    pub(crate) fn has_acknowledged_end(&self) -> bool {
        self.peer_end == Some(self.receive_next)
    }

    /// Translates a frame that the socket has built, if it is a TCP segment, and remembers what it said. Checksums are not looked after.
    pub(crate) fn outgoing(&mut self, frame: &mut [u8]) {
        let Some(tcp) = tcp_offset(frame) else {
            return;
        };
        let (sequence, flags) = (be32(frame, tcp + SEQUENCE), frame[tcp + FLAGS]);
        let initial = self.initial;
        let shift = *self
            .shift
            .get_or_insert_with(|| initial.wrapping_sub(sequence));
        let sequence = sequence.wrapping_add(shift);
        frame[tcp + SEQUENCE..tcp + SEQUENCE + 4].copy_from_slice(&sequence.to_be_bytes());
        let header = usize::from(frame[tcp + 12] >> 4) * 4;
        if flags & SYN != 0 {
            let own = self.own_segment(tcp == ETHERNET + 20);
            limit_segment(&mut frame[tcp..], own);
        }
        let length = (frame.len() - tcp).saturating_sub(header) as u32
            + u32::from(flags & SYN != 0)
            + u32::from(flags & FIN != 0);
        self.asked |= length > 0;
        let end = sequence.wrapping_add(length);
        if after(end, self.send_next) {
            self.send_next = end;
        }
        if flags & ACK != 0 {
            self.receive_next = be32(frame, tcp + ACKNOWLEDGEMENT);
            self.receive_window =
                u16::from_be_bytes([frame[tcp + WINDOW], frame[tcp + WINDOW + 1]]);
        }
    }

    /// Remembers what a segment from the peer says, and translates its frame for the socket.
    pub(crate) fn incoming(&mut self, segment: &Segment, frame: &mut [u8]) {
        if segment.control == TcpControl::Syn {
            let own = self.own_segment(segment.flow.local.is_ipv4());
            self.max_segment = match segment.max_segment {
                None | Some(0) => DEFAULT_MAX_SEGMENT.min(own),
                Some(size) => size.min(own),
            };
            limit_segment(&mut frame[segment.header..], own);
            self.window_scale = segment.window_scale;
            self.sack_permitted = segment.sack_permitted;
            self.send_window = u32::from(segment.window);
        } else {
            self.send_window = u32::from(segment.window) << self.window_scale.unwrap_or(0);
        }
        if segment.control == TcpControl::Fin {
            let length = segment.payload as u32 + 1;
            self.peer_end = Some(segment.sequence.wrapping_add(length));
        }
        if let (Some(shift), Some(number)) = (self.shift, segment.acknowledgement) {
            let at = segment.header + ACKNOWLEDGEMENT;
            frame[at..at + 4].copy_from_slice(&number.wrapping_sub(shift).to_be_bytes());
        }
    }
}

impl Wire {
    /// The payload of a segment without options that fills the link.
    pub(crate) fn own_segment(&self, ipv4: bool) -> u16 {
        self.ip_mtu
            .saturating_sub(if ipv4 { 40 } else { 60 })
            .max(1)
    }

    /// How a frame is to be cut, if it is longer than the link takes.
    pub(crate) fn segmentation(&self, frame: &[u8]) -> Option<Segmentation> {
        if frame.len() <= ETHERNET + usize::from(self.ip_mtu) {
            return None;
        }
        let tcp = tcp_offset(frame)?;
        let (kind, options) = match tcp - ETHERNET {
            20 => (GsoProtocol::TcpV4, frame[tcp + 12] >> 4),
            _ => (GsoProtocol::TcpV6, frame[tcp + 12] >> 4),
        };
        let options = u16::from(options.saturating_sub(5)) * 4;
        let size = NonZeroU16::new(self.max_segment.saturating_sub(options))?;
        Some(Segmentation { kind, size })
    }
}

/// Lowers the largest segment that a SYN names (RFC 9293 section 3.7.1) to `limit`. The header and its options are as long as they say, or the
/// search ends.
fn limit_segment(tcp: &mut [u8], limit: u16) {
    let end = usize::from(tcp[12] >> 4) * 4;
    let mut at = 20;
    while at < end.min(tcp.len()) {
        let length = match tcp[at] {
            0 => return,
            1 => 1,
            _ => match tcp.get(at + 1) {
                Some(&length @ 2..) => usize::from(length),
                _ => return,
            },
        };
        if let Some([2, 4, high, low]) = tcp.get_mut(at..at + length.max(4)).filter(|_| length == 4)
        {
            let size = u16::from_be_bytes([*high, *low]).min(limit);
            [*high, *low] = size.to_be_bytes();
            return;
        }
        at += length;
    }
}

/// Whether `a` comes after `b` in sequence space (RFC 9293 section 3.4).
pub(crate) fn after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Where the TCP header is in a frame that smoltcp has built; `None` if it is something else, such as an ARP request.
fn tcp_offset(frame: &[u8]) -> Option<usize> {
    const TCP: u8 = 6;
    // smoltcp writes neither IPv4 options nor extension headers.
    let (protocol, offset) = match frame.get(12..14)? {
        [0x08, 0x00] => (*frame.get(ETHERNET + 9)?, ETHERNET + 20),
        [0x86, 0xdd] => (*frame.get(ETHERNET + 6)?, ETHERNET + 40),
        _ => return None,
    };
    (protocol == TCP && frame.len() >= offset + 20).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_largest_segment_is_lowered_wherever_it_stands() {
        let header = |options: &[u8]| {
            let mut tcp = [[0; 12].as_slice(), &[0xa0; 1], &[0; 7], options].concat();
            tcp.resize(40, 0);
            tcp
        };
        for (options, lowered) in [
            (&[2, 4, 0xff, 0xd7, 1, 3, 3, 7][..], Some(2)),
            (&[4, 2, 1, 1, 2, 4, 0x10, 0], Some(6)),
            (&[2, 4, 1, 0], None),
            (&[0, 2, 4, 0xff, 0xd7], None),
            (&[9, 0, 2, 4, 0xff, 0xd7], None),
            (&[9, 200, 2, 4, 0xff, 0xd7], None),
            (&[1; 20], None),
            (&[2, 5, 0xff, 0xff, 0xff], None),
        ] {
            let mut tcp = header(options);
            limit_segment(&mut tcp, 1460);
            let mut expected = header(options);
            if let Some(at) = lowered {
                expected[20 + at..22 + at].copy_from_slice(&1460u16.to_be_bytes());
            }
            assert_eq!(tcp, expected);
        }
        let mut short = header(&[1, 1, 2, 4]);
        short.truncate(24);
        limit_segment(&mut short, 1);
    }
}
