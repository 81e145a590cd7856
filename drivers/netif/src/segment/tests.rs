extern crate std;

use super::*;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// A UDP datagram over IPv4, its checksum blank.
fn udp4(payload: &[u8], padding: usize) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut frame = Vec::from([0u8; 12]);
    frame.extend([0x08, 0x00, 0x45, 0]);
    frame.extend((20 + length).to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend([0, 53, 0x12, 0x34]);
    frame.extend(length.to_be_bytes());
    let pseudo = sum(&[10, 0, 0, 1, 10, 0, 0, 2, 0, UDP, 0, length as u8], 0);
    frame.extend(pseudo.to_be_bytes());
    frame.extend(payload);
    frame.resize(frame.len() + padding, 0xee);
    frame
}

/// A TCP segment over IPv6, perhaps behind an extension header, its checksum blank.
fn tcp6(payload: &[u8], extension: Option<u8>) -> Vec<u8> {
    let length = 20 + payload.len() as u16;
    let mut frame = Vec::from([0u8; 12]);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((length + if extension.is_some() { 8 } else { 0 }).to_be_bytes());
    frame.extend([extension.unwrap_or(TCP), 64]);
    frame.extend([0xfe; 32]);
    if extension.is_some() {
        frame.extend([TCP, 0, 1, 4, 0, 0, 0, 0]);
    }
    frame.extend([0, 80, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0]);
    let mut pseudo = Vec::from([0xfe; 32]);
    pseudo.extend([0, 0, 0, length as u8, 0, 0, 0, TCP]);
    frame.extend(sum(&pseudo, 0).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

/// The same frame with another checksum field.
fn with_field(mut frame: Vec<u8>, value: u16) -> Vec<u8> {
    let at = locate(&frame).unwrap().field;
    put(&mut frame, at, value);
    frame
}

fn field(frame: &[u8]) -> u16 {
    be16(frame, locate(frame).unwrap().field).unwrap()
}

/// The pseudo-header's sum, to be added to the segment's: the whole must come to all ones (RFC 1071).
fn verifies(frame: &[u8], pseudo: u16) -> bool {
    let segment = locate(frame).unwrap();
    sum(&frame[segment.start..segment.end], pseudo.into()) == 0xffff
}

/// The sum the slow way, as RFC 1071 section 1 words it.
fn reference(words: impl Iterator<Item = u16>) -> u16 {
    words.fold(0u16, |sum, word| {
        let (sum, carry) = sum.overflowing_add(word);
        sum + u16::from(carry)
    })
}

#[test]
fn completed_checksums_verify() {
    for mut frame in [
        udp4(b"even", 0),
        udp4(b"odd", 5),
        udp4(b"", 18),
        tcp6(b"payload", None),
        tcp6(b"behind options", Some(HOP_BY_HOP)),
        tcp6(b"behind options", Some(DESTINATION_OPTIONS)),
    ] {
        let pseudo = field(&frame);
        complete(&mut frame).unwrap();
        assert!(verifies(&frame, pseudo), "{frame:02x?}");
        assert_eq!(verify(&frame), Verdict::Right, "{frame:02x?}");
    }
}

#[test]
fn a_completed_checksum_verifies_and_a_flipped_bit_does_not() {
    for (start, padding, frame) in [
        (34, 2, udp4(b"hello", 2)),
        (34, 2, udp4(b"", 2)),
        (62, 0, tcp6(b"odd", Some(HOP_BY_HOP))),
        (62, 0, tcp6(b"", Some(HOP_BY_HOP))),
    ] {
        let mut frame = with_field(frame, 0x0400);
        let state = blank_or_complete(&mut frame, Offload::None);
        assert_eq!(state, TxChecksum::Complete);
        assert_eq!(verify(&frame), Verdict::Right);
        for at in start..frame.len() - padding {
            for bit in 0..8 {
                frame[at] ^= 1 << bit;
                assert_ne!(verify(&frame), Verdict::Right, "byte {at}, bit {bit}");
                frame[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn a_known_checksum_comes_out() {
    // 10.0.0.1 port 53 to 10.0.0.2 port 0x1234, "hi": 0x1404+0x11+10, then 53+0x1234+10+0x6869.
    let sum: u32 = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 10 + 53 + 0x1234 + 10 + 0x6869;
    let mut frame = udp4(b"hi", 0);
    complete(&mut frame).unwrap();
    assert_eq!(field(&frame), !(sum as u16));
    let mut frame = with_field(frame, 0);
    blank_or_complete(&mut frame, Offload::None);
    assert_eq!(field(&frame), !(sum as u16));
}

#[test]
fn a_blank_field_holds_the_pseudo_header_only() {
    let mut frame = with_field(udp4(b"hello", 2), 0);
    let state = blank_or_complete(&mut frame, Offload::Ipv4);
    assert_eq!(state, TxChecksum::Blank);
    let pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 13;
    assert_eq!(be16(&frame, 14 + 20 + 6), Some(pseudo));
    complete(&mut frame).unwrap();
    assert_eq!(verify(&frame), Verdict::Right);
    for (offload, state) in [
        (Offload::Ipv4, TxChecksum::Complete),
        (Offload::Both, TxChecksum::Blank),
    ] {
        let mut frame = tcp6(b"x", Some(HOP_BY_HOP));
        assert_eq!(blank_or_complete(&mut frame, offload), state);
    }
}

#[test]
fn a_udp_checksum_is_never_zero() {
    let mut frame = udp4(&[0, 0], 0);
    let segment = locate(&frame).unwrap();
    let rest = !sum(&frame[segment.start..segment.end], 0);
    frame.splice(segment.end - 2..segment.end, rest.to_be_bytes());
    complete(&mut frame).unwrap();
    assert_eq!(field(&frame), 0xffff);
}

#[test]
fn only_udp_over_ipv4_may_go_without() {
    let verdict = |frame| verify(&with_field(frame, 0));
    assert_eq!(verdict(udp4(b"hello", 2)), Verdict::Absent);
    assert_eq!(verdict(tcp6(b"x", None)), Verdict::Wrong);
}

#[test]
fn what_has_no_segment_is_left_alone() {
    let mut fragment = udp4(b"hello", 0);
    fragment[ETHERNET_HEADER + 6] = 0x20;
    let mut long = udp4(b"hello", 0);
    long[ETHERNET_HEADER + 3] = 200;
    let mut longer_datagram = udp4(b"hello", 4);
    longer_datagram[ETHERNET_HEADER + 20 + 5] += 1;
    let mut other = udp4(b"hello", 0);
    other[ETHERNET_HEADER + 9] = 1;
    let mut other_version = udp4(b"hello", 0);
    other_version[ETHERNET_HEADER] = 0x65;
    let mut arp = vec![0; 42];
    arp[12..14].copy_from_slice(&[8, 6]);
    for frame in [fragment, long, longer_datagram, other, other_version, arp] {
        let mut touched = frame.clone();
        assert_eq!(complete(&mut touched), Err(NoSegment));
        let state = blank_or_complete(&mut touched, Offload::Both);
        assert_eq!(state, TxChecksum::Complete);
        assert_eq!(touched, frame);
        assert_eq!(verify(&frame), Verdict::NotApplicable);
    }
}

#[test]
fn a_datagram_may_be_shorter_than_its_packet() {
    let mut frame = udp4(b"hello..", 0);
    frame[ETHERNET_HEADER + 20 + 5] -= 2;
    blank_or_complete(&mut frame, Offload::None);
    assert_eq!(verify(&frame), Verdict::Right);
    *frame.last_mut().unwrap() ^= 1;
    assert_eq!(verify(&frame), Verdict::Right);
}

/// Only the sender knows the pseudo-header there, so only what it has left blank can be completed.
#[test]
fn behind_a_routing_header_there_is_no_pseudo_header() {
    let frame = tcp6(b"on its way", Some(ROUTING));
    let mut touched = frame.clone();
    let state = blank_or_complete(&mut touched, Offload::Both);
    assert_eq!(state, TxChecksum::Complete);
    assert_eq!(touched, frame);
    assert_eq!(verify(&frame), Verdict::NotApplicable);
    let pseudo = field(&frame);
    complete(&mut touched).unwrap();
    assert!(verifies(&touched, pseudo));
}

proptest! {
    #[test]
    fn any_bytes_are_safe(mut frame: Vec<u8>, kind in 0..3, cut in 0..90usize) {
        if kind > 0 {
            let mut start = if kind == 1 { udp4(b"", 0) } else { tcp6(b"x", Some(HOP_BY_HOP)) };
            start.truncate(cut);
            frame.splice(..frame.len().min(start.len()), start);
        }
        let before = frame.clone();
        verify(&frame);
        if complete(&mut frame).is_err() {
            prop_assert_eq!(&frame, &before);
        }
        blank_or_complete(&mut frame, Offload::None);
        prop_assert!(matches!(verify(&frame), Verdict::Right | Verdict::NotApplicable));
        blank_or_complete(&mut frame, Offload::Both);
    }

    #[test]
    fn the_fast_sum_is_the_slow_sum(bytes: Vec<u8>, initial: u16) {
        let words = bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
        prop_assert_eq!(sum(&bytes, u64::from(initial)), reference(words.chain([initial])));
    }
}
