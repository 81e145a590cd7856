//! Blank checksums: who may leave them, and how they are completed (RFC 1071; netif.h, `NETTXF_csum_blank`).
//!
//! A sender that leaves the TCP or UDP checksum to others puts the sum over the pseudo-header into its field, not inverted. Whoever
//! completes it sums the segment with the field as it is, inverts, and stores.

use core::fmt;

use crate::{ETHERNET_HEADER, RxFlags, TxFlags};

/// For which IP versions a side takes blank TCP and UDP checksums.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Offload {
    /// For none.
    #[default]
    None,
    /// For IPv4.
    Ipv4,
    /// For IPv6.
    Ipv6,
    /// For both.
    Both,
}

/// The transport checksum of a frame to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TxChecksum {
    /// It is complete, or there is none.
    #[default]
    Complete,
    /// Its field holds the pseudo-header's sum only.
    Blank,
}

/// The transport checksum of a frame that was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RxChecksum {
    /// Nobody has verified it.
    #[default]
    Unverified,
    /// The sender vouches for the data; the field is complete.
    Validated,
    /// The sender vouches for the data; the field holds the pseudo-header's sum only.
    Blank,
}

impl Offload {
    /// For IPv4 if `ipv4`, for IPv6 if `ipv6`: as the two keys `feature-no-csum-offload` (inverted) and `feature-ipv6-csum-offload` say.
    pub const fn from_features(ipv4: bool, ipv6: bool) -> Self {
        match (ipv4, ipv6) {
            (false, false) => Self::None,
            (true, false) => Self::Ipv4,
            (false, true) => Self::Ipv6,
            (true, true) => Self::Both,
        }
    }

    /// Whether a blank checksum of the IP packet in `frame` is welcome.
    pub fn covers(self, frame: &[u8]) -> bool {
        match (self, be16(frame, ETHERTYPE_OFFSET)) {
            (Self::None, _) => false,
            (Self::Both, _) => true,
            (Self::Ipv4, ethertype) => ethertype == Some(ETHERTYPE_IPV4),
            (Self::Ipv6, ethertype) => ethertype == Some(ETHERTYPE_IPV6),
        }
    }
}

impl TxChecksum {
    /// The flags that say so on the transmit ring.
    pub const fn tx_flags(self) -> TxFlags {
        match self {
            Self::Complete => TxFlags::empty(),
            Self::Blank => TxFlags::CHECKSUM_BLANK.union(TxFlags::DATA_VALIDATED),
        }
    }

    /// The flags that say so on the receive ring.
    pub const fn rx_flags(self) -> RxFlags {
        match self {
            Self::Complete => RxFlags::empty(),
            Self::Blank => RxFlags::CHECKSUM_BLANK.union(RxFlags::DATA_VALIDATED),
        }
    }
}

impl RxChecksum {
    /// What the flags of a transmit request say.
    pub const fn from_tx_flags(flags: TxFlags) -> Self {
        if flags.contains(TxFlags::CHECKSUM_BLANK) {
            Self::Blank
        } else if flags.contains(TxFlags::DATA_VALIDATED) {
            Self::Validated
        } else {
            Self::Unverified
        }
    }

    /// What the flags of a receive response say.
    pub const fn from_rx_flags(flags: RxFlags) -> Self {
        if flags.contains(RxFlags::CHECKSUM_BLANK) {
            Self::Blank
        } else if flags.contains(RxFlags::DATA_VALIDATED) {
            Self::Validated
        } else {
            Self::Unverified
        }
    }
}

/// The frame holds no whole TCP or UDP segment, so it has no checksum to complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSegment;

impl fmt::Display for NoSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the frame with a blank checksum holds no TCP or UDP segment")
    }
}

impl core::error::Error for NoSegment {}

/// Completes the blank checksum of the TCP or UDP segment in `frame`, which may be anything.
pub fn complete(frame: &mut [u8]) -> Result<(), NoSegment> {
    let segment = locate(frame).ok_or(NoSegment)?;
    let bytes = frame.get_mut(segment.start..segment.end).ok_or(NoSegment)?;
    let checksum = match !sum(bytes) {
        // RFC 768: zero stands for "no checksum", and all ones is the same number in ones' complement.
        0 if segment.protocol == UDP => 0xffff,
        checksum => checksum,
    };
    let field = bytes
        .get_mut(segment.field..segment.field + 2)
        .ok_or(NoSegment)?;
    field.copy_from_slice(&checksum.to_be_bytes());
    Ok(())
}

struct Segment {
    start: usize,
    end: usize,
    protocol: u8,
    /// Where the checksum is, from `start` on.
    field: usize,
}

fn locate(frame: &[u8]) -> Option<Segment> {
    let packet = frame.get(ETHERNET_HEADER..)?;
    let (protocol, header, length) = match be16(frame, ETHERTYPE_OFFSET)? {
        ETHERTYPE_IPV4 => ipv4(packet)?,
        ETHERTYPE_IPV6 => ipv6(packet)?,
        _ => return None,
    };
    let field = match protocol {
        TCP => TCP_CHECKSUM_OFFSET,
        UDP => UDP_CHECKSUM_OFFSET,
        _ => return None,
    };
    let fits = length <= packet.len() && header + field + 2 <= length;
    fits.then_some(Segment {
        start: ETHERNET_HEADER + header,
        end: ETHERNET_HEADER + length,
        protocol,
        field,
    })
}

/// The protocol, the header's and the whole packet's length in bytes (RFC 791, section 3.1); `None` for a fragment.
fn ipv4(packet: &[u8]) -> Option<(u8, usize, usize)> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let fragment = be16(packet, 6)? & 0x3fff != 0;
    (header >= 20 && !fragment).then_some((*packet.get(9)?, header, be16(packet, 2)?.into()))
}

/// The same for IPv6, behind whatever extension headers come first (RFC 8200, sections 3 and 4).
fn ipv6(packet: &[u8]) -> Option<(u8, usize, usize)> {
    let mut next = *packet.get(6)?;
    let mut header = 40;
    for _ in 0..MAX_EXTENSION_HEADERS {
        if ![HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS].contains(&next) {
            break;
        }
        next = *packet.get(header)?;
        header += (usize::from(*packet.get(header + 1)?) + 1) * 8;
    }
    Some((next, header, 40 + usize::from(be16(packet, 4)?)))
}

/// The ones' complement sum of big-endian 16-bit words, an odd last byte padded with zero.
fn sum(bytes: &[u8]) -> u16 {
    let (pairs, last) = bytes.as_chunks::<2>();
    // A frame has fewer than 2^16 words of less than 2^16 each, so 32 bits hold the sum.
    let mut sum: u32 = pairs
        .iter()
        .map(|&pair| u32::from(u16::from_be_bytes(pair)))
        .sum();
    if let &[byte] = last {
        sum += u32::from(byte) << 8;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

const ETHERTYPE_OFFSET: usize = 12;
/// IANA "IEEE 802 numbers".
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// IANA "Protocol numbers".
const HOP_BY_HOP: u8 = 0;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const DESTINATION_OPTIONS: u8 = 60;
/// RFC 9293, section 3.1.
const TCP_CHECKSUM_OFFSET: usize = 16;
/// RFC 768.
const UDP_CHECKSUM_OFFSET: usize = 6;
/// Our limit: no sender leaves a checksum blank behind more.
const MAX_EXTENSION_HEADERS: usize = 4;

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn udp_over_ipv4(payload: &[u8], padding: usize) -> Vec<u8> {
        let length = 8 + payload.len() as u16;
        let mut frame = Vec::from([0u8; 12]);
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend((20 + length).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0, 53, 0x12, 0x34]);
        frame.extend(length.to_be_bytes());
        let pseudo = sum(&[10, 0, 0, 1, 10, 0, 0, 2, 0, UDP, 0, length as u8]);
        frame.extend(pseudo.to_be_bytes());
        frame.extend(payload);
        frame.resize(frame.len() + padding, 0xee);
        frame
    }

    fn tcp_over_ipv6(payload: &[u8], extension: bool) -> Vec<u8> {
        let length = 20 + payload.len() as u16;
        let mut frame = Vec::from([0u8; 12]);
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend((length + if extension { 8 } else { 0 }).to_be_bytes());
        frame.extend([if extension { HOP_BY_HOP } else { TCP }, 64]);
        frame.extend([0xfe; 32]);
        if extension {
            frame.extend([TCP, 0, 1, 4, 0, 0, 0, 0]);
        }
        frame.extend([0, 80, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0]);
        let mut pseudo = Vec::from([0xfe; 32]);
        pseudo.extend([0, 0, 0, length as u8, 0, 0, 0, TCP]);
        frame.extend(sum(&pseudo).to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(payload);
        frame
    }

    /// The pseudo-header's sum, to be added to the segment's: the whole must come to all ones (RFC 1071).
    fn verifies(frame: &[u8], pseudo: u16) -> bool {
        let segment = locate(frame).unwrap();
        let mut bytes = Vec::from(&frame[segment.start..segment.end]);
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes.extend(pseudo.to_be_bytes());
        sum(&bytes) == 0xffff
    }

    fn field(frame: &[u8]) -> u16 {
        let segment = locate(frame).unwrap();
        be16(frame, segment.start + segment.field).unwrap()
    }

    #[test]
    fn completed_checksums_verify() {
        let frames = [
            udp_over_ipv4(b"even", 0),
            udp_over_ipv4(b"odd", 5),
            udp_over_ipv4(b"", 18),
            tcp_over_ipv6(b"payload", false),
            tcp_over_ipv6(b"behind options", true),
        ];
        for mut frame in frames {
            let pseudo = field(&frame);
            complete(&mut frame).unwrap();
            assert!(verifies(&frame, pseudo), "{frame:02x?}");
        }
    }

    #[test]
    fn a_known_checksum_comes_out() {
        // 10.0.0.1 port 53 to 10.0.0.2 port 0x1234, "hi": 0x1404+0x11+10, then 53+0x1234+10+0x6869.
        let mut frame = udp_over_ipv4(b"hi", 0);
        complete(&mut frame).unwrap();
        let sum: u32 = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 10 + 53 + 0x1234 + 10 + 0x6869;
        assert_eq!(field(&frame), !(sum as u16));
    }

    #[test]
    fn a_udp_checksum_is_never_zero() {
        let mut frame = udp_over_ipv4(&[0, 0], 0);
        let segment = locate(&frame).unwrap();
        let rest = !sum(&frame[segment.start..segment.end]);
        frame.splice(segment.end - 2..segment.end, rest.to_be_bytes());
        complete(&mut frame).unwrap();
        assert_eq!(field(&frame), 0xffff);
    }

    #[test]
    fn what_has_no_segment_is_left_alone() {
        let mut fragment = udp_over_ipv4(b"hello", 0);
        fragment[ETHERNET_HEADER + 6] = 0x20;
        let mut long = udp_over_ipv4(b"hello", 0);
        long[ETHERNET_HEADER + 3] = 200;
        let mut other = udp_over_ipv4(b"hello", 0);
        other[ETHERNET_HEADER + 9] = 1;
        let mut arp = Vec::from([0; 42]);
        arp[12..14].copy_from_slice(&[8, 6]);
        for frame in [fragment, long, other, arp] {
            let mut touched = frame.clone();
            assert_eq!(complete(&mut touched), Err(NoSegment));
            assert_eq!(touched, frame);
        }
    }

    #[test]
    fn offload_looks_at_the_ip_version() {
        let (v4, v6) = (udp_over_ipv4(b"", 0), tcp_over_ipv6(b"", false));
        for (offload, covers) in [
            (Offload::from_features(false, false), [false, false]),
            (Offload::from_features(true, false), [true, false]),
            (Offload::from_features(false, true), [false, true]),
            (Offload::from_features(true, true), [true, true]),
        ] {
            assert_eq!([offload.covers(&v4), offload.covers(&v6)], covers);
        }
        assert!(!Offload::Ipv4.covers(&[]));
    }

    #[test]
    fn flags_go_both_ways() {
        for (sent, received) in [
            (TxChecksum::Complete, RxChecksum::Unverified),
            (TxChecksum::Blank, RxChecksum::Blank),
        ] {
            assert_eq!(RxChecksum::from_tx_flags(sent.tx_flags()), received);
            assert_eq!(RxChecksum::from_rx_flags(sent.rx_flags()), received);
        }
        assert_eq!(
            RxChecksum::from_rx_flags(RxFlags::DATA_VALIDATED),
            RxChecksum::Validated
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(mut frame: Vec<u8>, kind in 0..3, cut in 0..90usize) {
            if kind > 0 {
                let mut start = if kind == 1 { udp_over_ipv4(b"x", 0) } else { tcp_over_ipv6(b"x", true) };
                start.truncate(cut);
                frame.splice(..frame.len().min(start.len()), start);
            }
            let before = frame.clone();
            if complete(&mut frame).is_err() {
                prop_assert_eq!(frame, before);
            }
        }
    }
}
