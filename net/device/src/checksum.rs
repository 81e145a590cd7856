//! The transport checksum of a frame: leaving it blank, completing it, verifying it (RFC 1071, RFC 9293 section 3.1, RFC 768, RFC 8200
//! section 8.1).
//!
//! All functions take a whole Ethernet frame of any content and length, and leave what is not TCP or UDP over IP alone.

use crate::device::ETHERNET_HEADER;
use crate::{Offload, TxChecksum};

/// EtherType of IPv4 (IEEE 802 numbers).
const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of IPv6 (RFC 2464 section 3).
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Protocol number of TCP (IANA protocol numbers).
const TCP: u8 = 6;
/// Protocol number of UDP.
const UDP: u8 = 17;
/// Next-header value of IPv6 hop-by-hop options (RFC 8200 section 4.3), the only extension header that is looked behind.
const HOP_BY_HOP: u8 = 0;

/// A TCP or UDP segment inside a frame.
struct Segment {
    /// Where the transport header starts.
    start: usize,
    /// Where the segment ends; after it comes padding.
    end: usize,
    /// Where the checksum field is.
    field: usize,
    protocol: u8,
    over_ipv4: bool,
    /// The sum over the pseudo-header, not inverted.
    pseudo: u16,
}

/// What a frame's transport checksum turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// The sender computed none (UDP over IPv4 only, RFC 768).
    Absent,
    /// The frame is no complete TCP or UDP packet: there is nothing to verify.
    NotApplicable,
}

/// Leaves the checksum of a TCP or UDP frame blank if `offload` covers it, or else completes it, and says which.
///
/// The frame's checksum field may hold anything. Blank does not mean zero: whoever completes the checksum sums the segment alone, so the
/// field must hold the pseudo-header's sum (what Linux calls `CHECKSUM_PARTIAL`).
pub fn blank_or_complete(frame: &mut [u8], offload: Offload) -> TxChecksum {
    let Some(segment) = locate(frame) else {
        return TxChecksum::Complete;
    };
    let covered = if segment.over_ipv4 {
        offload.ipv4()
    } else {
        offload.ipv6()
    };
    put(frame, segment.field, segment.pseudo);
    if covered {
        return TxChecksum::Blank;
    }
    finish(frame, &segment);
    TxChecksum::Complete
}

/// Completes the checksum of a TCP or UDP frame, whatever its checksum field holds now.
pub fn complete(frame: &mut [u8]) {
    if let Some(segment) = locate(frame) {
        put(frame, segment.field, segment.pseudo);
        finish(frame, &segment);
    }
}

/// Verifies the checksum of a TCP or UDP frame.
pub fn verify(frame: &[u8]) -> Verdict {
    let Some(segment) = locate(frame) else {
        return Verdict::NotApplicable;
    };
    if segment.protocol == UDP && frame[segment.field..segment.field + 2] == [0, 0] {
        // RFC 8200 section 8.1: over IPv6 the checksum is not optional.
        return if segment.over_ipv4 {
            Verdict::Absent
        } else {
            Verdict::Wrong
        };
    }
    let total = sum(
        &frame[segment.start..segment.end],
        u64::from(segment.pseudo),
    );
    if total == 0xffff {
        Verdict::Right
    } else {
        Verdict::Wrong
    }
}

/// Replaces the pseudo-header's sum in the field by the checksum of the whole.
fn finish(frame: &mut [u8], segment: &Segment) {
    let checksum = !sum(&frame[segment.start..segment.end], 0);
    let checksum = match checksum {
        // RFC 768: zero means that there is no checksum, and all ones is the same number.
        0 if segment.protocol == UDP => 0xffff,
        other => other,
    };
    put(frame, segment.field, checksum);
}

fn put(frame: &mut [u8], at: usize, value: u16) {
    frame[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// The ones' complement sum over `bytes`, an odd last byte padded with zero, with `initial` added.
fn sum(bytes: &[u8], initial: u64) -> u16 {
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

/// Finds the segment, with all its offsets inside the frame; `None` if the frame has no whole TCP or UDP header.
fn locate(frame: &[u8]) -> Option<Segment> {
    let (addresses, protocol, start, end, over_ipv4) = match be16(frame, 12)? {
        ETHERTYPE_IPV4 => {
            let ip = frame.get(ETHERNET_HEADER..)?;
            let header = usize::from(*ip.first()? & 0x0f) * 4;
            let total = usize::from(be16(ip, 2)?);
            // RFC 791: bits 0x2000 (more fragments) and 0x1fff (offset) of the third word: a fragment has no whole segment.
            let fragment = be16(ip, 6)? & 0x3fff != 0;
            if ip[0] >> 4 != 4 || header < 20 || header > total || total > ip.len() || fragment {
                return None;
            }
            let start = ETHERNET_HEADER + header;
            (&ip[12..20], ip[9], start, ETHERNET_HEADER + total, true)
        }
        ETHERTYPE_IPV6 => {
            let ip = frame.get(ETHERNET_HEADER..)?;
            let payload = usize::from(be16(ip, 4)?);
            let (mut protocol, mut header) = (*ip.get(6)?, 40);
            let end = header + payload;
            if ip[0] >> 4 != 6 || end > ip.len() {
                return None;
            }
            if protocol == HOP_BY_HOP {
                protocol = *ip.get(header)?;
                header += (usize::from(*ip.get(header + 1)?) + 1) * 8;
            }
            if header > end {
                return None;
            }
            let start = ETHERNET_HEADER + header;
            (&ip[8..40], protocol, start, ETHERNET_HEADER + end, false)
        }
        _ => return None,
    };
    let (field, header, length) = match protocol {
        TCP => (start + 16, 20, end - start),
        UDP => (start + 6, 8, usize::from(be16(frame, start + 4)?)),
        _ => return None,
    };
    if end - start < header || length < header || length > end - start {
        return None;
    }
    let pseudo = sum(addresses, (length as u64) + u64::from(protocol));
    Some(Segment {
        start,
        end: start + length,
        field,
        protocol,
        over_ipv4,
        pseudo,
    })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::SplitMix;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// A UDP datagram over IPv4 with two bytes of padding, checksum field zero.
    fn udp4(payload: &[u8]) -> Vec<u8> {
        let udp = 8 + payload.len() as u16;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0]);
        frame.extend((20 + udp).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0, 7, 0, 9]);
        frame.extend(udp.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(payload);
        frame.extend([0xaa, 0xbb]);
        frame
    }

    /// A TCP segment over IPv6 behind hop-by-hop options, checksum field zero.
    fn tcp6(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd];
        frame.extend([0x60, 0, 0, 0]);
        frame.extend((8 + 20 + payload.len() as u16).to_be_bytes());
        frame.extend([HOP_BY_HOP, 64]);
        frame.extend([0xfd; 32]);
        frame.extend([TCP, 0, 5, 2, 0, 0, 1, 0]);
        frame.extend([0, 80, 0x30, 0x39, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10]);
        frame.extend([4, 0, 0, 0, 0, 0]);
        frame.extend(payload);
        frame
    }

    /// The sum the slow way, as RFC 1071 section 1 words it.
    fn reference(words: impl Iterator<Item = u16>) -> u16 {
        words.fold(0u16, |sum, word| {
            let (sum, carry) = sum.overflowing_add(word);
            sum + u16::from(carry)
        })
    }

    #[test]
    fn a_completed_checksum_verifies_and_a_flipped_bit_does_not() {
        let mut random = SplitMix::new(3);
        for (start, padding, frame) in [
            (34, 2, udp4(b"hello")),
            (34, 2, udp4(b"")),
            (62, 0, tcp6(b"odd")),
            (62, 0, tcp6(b"")),
        ] {
            for _ in 0..100 {
                let mut frame = frame.clone();
                assert_eq!(
                    blank_or_complete(&mut frame, Offload::None),
                    TxChecksum::Complete
                );
                assert_eq!(verify(&frame), Verdict::Right);
                let at = start + random.below(frame.len() - padding - start);
                frame[at] ^= 1 << random.below(8);
                assert_ne!(verify(&frame), Verdict::Right, "byte {at}");
            }
        }
    }

    #[test]
    fn a_known_checksum_comes_out() {
        // Computed by hand for 10.0.0.1:7 > 10.0.0.2:9, "hi": pseudo-header 0x1400+0x0003+17+10, header 7+9+10, data 0x6869.
        let mut frame = udp4(b"hi");
        complete(&mut frame);
        let sum: u32 = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 10 + 7 + 9 + 10 + 0x6869;
        assert_eq!(be16(&frame, 14 + 20 + 6), Some(!(sum as u16)));
    }

    #[test]
    fn a_blank_field_holds_the_pseudo_header_only() {
        let mut frame = udp4(b"hello");
        assert_eq!(
            blank_or_complete(&mut frame, Offload::Ipv4),
            TxChecksum::Blank
        );
        let pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 13;
        assert_eq!(be16(&frame, 14 + 20 + 6), Some(pseudo));
        // What the one who completes it does: sum the segment with the field as it is.
        let end = frame.len() - 2;
        let checksum = !sum(&frame[34..end], 0);
        put(&mut frame, 40, checksum);
        assert_eq!(verify(&frame), Verdict::Right);
        assert_eq!(
            blank_or_complete(&mut tcp6(b"x"), Offload::Ipv4),
            TxChecksum::Complete
        );
        assert_eq!(
            blank_or_complete(&mut tcp6(b"x"), Offload::Both),
            TxChecksum::Blank
        );
    }

    #[test]
    fn only_udp_over_ipv4_may_go_without() {
        assert_eq!(verify(&udp4(b"hello")), Verdict::Absent);
        assert_eq!(verify(&tcp6(b"x")), Verdict::Wrong);
    }

    #[test]
    fn fragments_and_other_frames_are_left_alone() {
        let mut frame = udp4(b"hello");
        frame[14 + 6] = 0x20;
        let before = frame.clone();
        assert_eq!(
            blank_or_complete(&mut frame, Offload::Both),
            TxChecksum::Complete
        );
        complete(&mut frame);
        assert_eq!(frame, before);
        assert_eq!(verify(&frame), Verdict::NotApplicable);
        let mut arp = vec![0; 42];
        arp[12..14].copy_from_slice(&[8, 6]);
        assert_eq!(verify(&arp), Verdict::NotApplicable);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_completing_makes_right(mut frame: Vec<u8>, kind in 0..3, cut in 0..80usize) {
            if kind > 0 {
                let mut start = if kind == 1 { udp4(b"") } else { tcp6(b"") };
                start.truncate(cut);
                frame.splice(..frame.len().min(start.len()), start);
            }
            verify(&frame);
            complete(&mut frame);
            prop_assert!(matches!(verify(&frame), Verdict::Right | Verdict::NotApplicable));
            blank_or_complete(&mut frame, Offload::Both);
        }

        #[test]
        fn the_fast_sum_is_the_slow_sum(bytes: Vec<u8>, initial: u16) {
            let words = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
            prop_assert_eq!(sum(&bytes, u64::from(initial)), reference(words.chain([initial])));
        }
    }
}
