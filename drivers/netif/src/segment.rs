//! The transport checksum of a frame: leaving it blank, completing it, verifying it (RFC 1071; RFC 9293, section 3.1; RFC 768; RFC 8200,
//! section 8.1).
//!
//! All functions take a whole Ethernet frame of any content and length, and leave what is not TCP or UDP over IP alone.
//!
//! Blank does not mean zero. A sender that leaves the checksum to others puts the sum over the pseudo-header into its field, not inverted
//! (what Linux calls `CHECKSUM_PARTIAL`). Whoever completes it sums the segment with the field as it is, inverts, and stores.

use core::fmt;
use core::ops::Range;

use crate::{ETHERNET_HEADER, Offload, TxChecksum};

/// The frame holds no whole TCP or UDP segment, so it has no checksum to complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSegment;

impl fmt::Display for NoSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the frame with a blank checksum holds no TCP or UDP segment")
    }
}

impl core::error::Error for NoSegment {}

/// What a frame's transport checksum turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// The sender computed none (UDP over IPv4 only, RFC 768).
    Absent,
    /// The frame is no complete TCP or UDP packet, or not for this destination yet: there is nothing to verify.
    NotApplicable,
}

/// Completes the blank checksum of the TCP or UDP segment in `frame`, which may be anything.
///
/// # Errors
///
/// [`NoSegment`]; the frame is as it was.
pub fn complete(frame: &mut [u8]) -> Result<(), NoSegment> {
    let segment = locate(frame).ok_or(NoSegment)?;
    finish(frame, &segment);
    Ok(())
}

/// Where a frame's transport checksum is, and what it sums over: for whoever tells a device to complete it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChecksumPlace {
    /// Where the transport header starts, in bytes from the frame's start; the sum is over all from here on.
    pub start: usize,
    /// Where the checksum's field is, in bytes from the frame's start.
    pub field: usize,
    /// Where the payload starts, in bytes from the frame's start.
    pub payload: usize,
}

impl ChecksumPlace {
    /// Of the TCP or UDP segment in `frame`, if there is a whole one.
    pub fn find(frame: &[u8]) -> Option<Self> {
        let segment = locate(frame)?;
        let length = match segment.protocol {
            TCP => usize::from(frame.get(segment.start + 12)? >> 4) * 4,
            _ => UDP_HEADER,
        };
        Some(Self {
            start: segment.start,
            field: segment.field,
            payload: (segment.start + length).min(segment.end),
        })
    }
}

/// Leaves the checksum of a TCP or UDP frame blank if `offload` covers it, or else completes it, and says which. The checksum field may
/// hold anything.
pub fn blank_or_complete(frame: &mut [u8], offload: Offload) -> TxChecksum {
    let Some(segment) = locate(frame) else {
        return TxChecksum::Complete;
    };
    let Some(pseudo) = segment.pseudo(frame) else {
        return TxChecksum::Complete;
    };
    put(frame, segment.field, pseudo);
    if offload.covers(frame) {
        return TxChecksum::Blank;
    }
    finish(frame, &segment);
    TxChecksum::Complete
}

/// Verifies the checksum of a TCP or UDP frame.
pub fn verify(frame: &[u8]) -> Verdict {
    let Some(segment) = locate(frame) else {
        return Verdict::NotApplicable;
    };
    let Some(pseudo) = segment.pseudo(frame) else {
        return Verdict::NotApplicable;
    };
    if segment.protocol == UDP && frame[segment.field..segment.field + 2] == [0, 0] {
        // RFC 8200, section 8.1: over IPv6 the checksum is not optional.
        return match ethertype(frame) {
            Some(ETHERTYPE_IPV4) => Verdict::Absent,
            _ => Verdict::Wrong,
        };
    }
    match sum(&frame[segment.start..segment.end], u64::from(pseudo)) {
        0xffff => Verdict::Right,
        _ => Verdict::Wrong,
    }
}

/// Replaces the pseudo-header's sum in the field by the checksum of the whole.
fn finish(frame: &mut [u8], segment: &Segment) {
    let checksum = match !sum(&frame[segment.start..segment.end], 0) {
        // RFC 768: zero stands for "no checksum", and all ones is the same number in ones' complement.
        0 if segment.protocol == UDP => 0xffff,
        checksum => checksum,
    };
    put(frame, segment.field, checksum);
}

/// A TCP or UDP segment inside a frame, and all of its offsets are inside.
pub(crate) struct Segment {
    /// Where the transport header starts.
    pub(crate) start: usize,
    /// Where the segment ends; after it comes padding.
    pub(crate) end: usize,
    /// Where the checksum field is.
    field: usize,
    pub(crate) protocol: u8,
    /// Where the addresses of the pseudo-header are. `None` behind a routing header: there the destination is another one (RFC 8200,
    /// section 8.1).
    pub(crate) addresses: Option<Range<usize>>,
}

impl Segment {
    /// The sum over the pseudo-header, not inverted.
    fn pseudo(&self, frame: &[u8]) -> Option<u16> {
        let addresses = frame.get(self.addresses.clone()?)?;
        let length = (self.end - self.start) as u64;
        Some(sum(addresses, length + u64::from(self.protocol)))
    }
}

/// What an IP header tells; offsets count from its beginning, and the packet is all there.
struct Packet {
    protocol: u8,
    /// Where the transport header starts.
    header: usize,
    /// Where the packet ends.
    end: usize,
    addresses: Option<Range<usize>>,
}

/// `None` if the frame has no whole TCP or UDP header.
pub(crate) fn locate(frame: &[u8]) -> Option<Segment> {
    let bytes = frame.get(ETHERNET_HEADER..)?;
    let packet = match ethertype(frame)? {
        ETHERTYPE_IPV4 => ipv4(bytes)?,
        ETHERTYPE_IPV6 => ipv6(bytes)?,
        _ => return None,
    };
    let room = packet.end.checked_sub(packet.header)?;
    let (field, shortest, length) = match packet.protocol {
        TCP => (TCP_CHECKSUM_OFFSET, TCP_HEADER, room),
        UDP => {
            let length = be16(bytes, packet.header + UDP_LENGTH_OFFSET)?;
            (UDP_CHECKSUM_OFFSET, UDP_HEADER, usize::from(length))
        }
        _ => return None,
    };
    let start = ETHERNET_HEADER + packet.header;
    let inside = |range: Range<usize>| range.start + ETHERNET_HEADER..range.end + ETHERNET_HEADER;
    (shortest..=room).contains(&length).then(|| Segment {
        start,
        end: start + length,
        field: start + field,
        protocol: packet.protocol,
        addresses: packet.addresses.map(inside),
    })
}

/// RFC 791, section 3.1. A fragment has no whole segment.
fn ipv4(bytes: &[u8]) -> Option<Packet> {
    let first = *bytes.first()?;
    let (version, header) = (first >> 4, usize::from(first & 0x0f) * 4);
    let end = usize::from(be16(bytes, 2)?);
    // Bits 0x2000 (more fragments) and 0x1fff (offset).
    let fragment = be16(bytes, 6)? & 0x3fff != 0;
    let whole = version == 4 && header >= 20 && header <= end && end <= bytes.len();
    (whole && !fragment).then_some(Packet {
        protocol: *bytes.get(9)?,
        header,
        end,
        addresses: Some(12..20),
    })
}

/// RFC 8200, sections 3 and 4, behind whatever extension headers come first.
fn ipv6(bytes: &[u8]) -> Option<Packet> {
    let version = *bytes.first()? >> 4;
    let end = 40 + usize::from(be16(bytes, 4)?);
    let (mut next, mut header, mut addresses) = (*bytes.get(6)?, 40, Some(8..40));
    for _ in 0..MAX_EXTENSION_HEADERS {
        match next {
            HOP_BY_HOP | DESTINATION_OPTIONS => {}
            ROUTING => addresses = None,
            _ => break,
        }
        next = *bytes.get(header)?;
        header += (usize::from(*bytes.get(header + 1)?) + 1) * 8;
    }
    (version == 6 && end <= bytes.len()).then_some(Packet {
        protocol: next,
        header,
        end,
        addresses,
    })
}

/// The ones' complement sum over `bytes`, an odd last byte padded with zero, with `initial` added.
pub(crate) fn sum(bytes: &[u8], initial: u64) -> u16 {
    let mut total = initial;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        // Cannot overflow: a frame has far fewer than 2^32 words.
        total += u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    }
    let mut last = [0; 4];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    total += u64::from(u32::from_be_bytes(last));
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

/// The EtherType of a frame without VLAN tag.
pub(crate) fn ethertype(frame: &[u8]) -> Option<u16> {
    be16(frame, ETHERTYPE_OFFSET)
}

pub(crate) fn put(frame: &mut [u8], at: usize, value: u16) {
    frame[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

const ETHERTYPE_OFFSET: usize = 12;
/// IANA "IEEE 802 numbers".
pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;
/// IANA "Protocol numbers".
const HOP_BY_HOP: u8 = 0;
pub(crate) const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const DESTINATION_OPTIONS: u8 = 60;
/// RFC 9293, section 3.1.
const TCP_HEADER: usize = 20;
const TCP_CHECKSUM_OFFSET: usize = 16;
/// RFC 768.
const UDP_HEADER: usize = 8;
const UDP_LENGTH_OFFSET: usize = 4;
const UDP_CHECKSUM_OFFSET: usize = 6;
/// Our limit: no sender leaves a checksum blank behind more.
const MAX_EXTENSION_HEADERS: usize = 4;

#[cfg(test)]
mod tests;
