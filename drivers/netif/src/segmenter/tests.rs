extern crate std;

use super::*;
use crate::{Verdict, complete, verify};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

/// A TCP packet with `options` words of TCP options, its checksum blank.
fn large(kind: GsoProtocol, options: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
    let tcp = 20 + 4 * options + payload.len();
    let mut frame = vec![2; 12];
    match kind {
        GsoProtocol::TcpV4 => {
            frame.extend([0x08, 0x00, 0x45, 0]);
            frame.extend(((20 + tcp) as u16).to_be_bytes());
            frame.extend([0xff, 0xfe, 0x40, 0, 64, TCP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        }
        GsoProtocol::TcpV6 => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend((tcp as u16).to_be_bytes());
            frame.extend([TCP, 64]);
            frame.extend([0xfd; 32]);
        }
    }
    frame.extend([0, 80, 0x12, 0x34, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 2]);
    frame.extend([(5 + options as u8) << 4, flags, 1, 0, 0, 0, 0, 0]);
    frame.resize(frame.len() + 4 * options, 1);
    frame.extend(payload);
    blank_or_complete(&mut frame, crate::Offload::Both);
    frame
}

fn cut(frame: &[u8], kind: GsoProtocol, size: u16, max_frame: usize) -> Vec<Vec<u8>> {
    let size = NonZeroU16::new(size).unwrap();
    let mut segments = Segments::new(frame, Segmentation { kind, size }, max_frame).unwrap();
    let mut frames = Vec::new();
    while let Some(len) = segments.next_len() {
        let mut into = vec![0xa5; len];
        assert_eq!(segments.write(&mut into).checksum, TxChecksum::Blank);
        frames.push(into);
    }
    frames
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

proptest! {
    #[test]
    fn segments_are_the_stream_again(
        v6: bool,
        options in 0..=10usize,
        flags: u8,
        payload in prop::collection::vec(any::<u8>(), 0..20_000),
        size in 48..9000u16,
        mtu in 200..9000usize,
    ) {
        let kind = if v6 { GsoProtocol::TcpV6 } else { GsoProtocol::TcpV4 };
        let frame = large(kind, options, flags, &payload);
        let headers = frame.len() - payload.len();
        let tcp = headers - 20 - 4 * options;
        let frames = cut(&frame, kind, size, mtu);
        let (mut stream, last) = (Vec::new(), frames.len() - 1);
        for (number, mut segment) in frames.into_iter().enumerate() {
            prop_assert!(segment.len() <= mtu && segment.len() - headers <= usize::from(size));
            prop_assert_eq!(word(&segment, tcp + 4), if stream.len() < 16 { 0xffff } else { ((stream.len() - 16) >> 16) as u16 });
            prop_assert_eq!(word(&segment, tcp + 6), (stream.len() as u16).wrapping_add(0xfff0));
            let mut expected = flags;
            if number > 0 {
                expected &= !CWR;
            }
            if number < last {
                expected &= !(FIN | PSH);
            }
            prop_assert_eq!(segment[tcp + FLAGS], expected);
            if v6 {
                prop_assert_eq!(usize::from(word(&segment, 18)), segment.len() - 54);
            } else {
                prop_assert_eq!(usize::from(word(&segment, 16)), segment.len() - 14);
                prop_assert_eq!(word(&segment, 18), 0xfffeu16.wrapping_add(number as u16));
                prop_assert_eq!(sum(&segment[14..34], 0), 0xffff);
            }
            complete(&mut segment).unwrap();
            prop_assert_eq!(verify(&segment), Verdict::Right);
            stream.extend_from_slice(&segment[headers..]);
        }
        prop_assert_eq!(stream, payload);
    }

    #[test]
    fn nothing_panics(
        mut frame in prop::collection::vec(any::<u8>(), 0..200),
        v6: bool,
        v4: bool,
        size in 0..=u16::MAX,
        max_frame in 0..300usize,
    ) {
        if v4 && frame.len() > 34 {
            frame[12..16].copy_from_slice(&[0x08, 0, 0x45, 0]);
            frame[20..24].copy_from_slice(&[0, 0, 64, TCP]);
        } else if v6 && frame.len() > 34 {
            frame[12..15].copy_from_slice(&[0x86, 0xdd, 0x60]);
            frame[20] = TCP;
        }
        let kind = if v6 { GsoProtocol::TcpV6 } else { GsoProtocol::TcpV4 };
        if let Some(segmentation) = Segmentation::from_extra(size, Some(kind)) {
            if let Ok(mut segments) = Segments::new(&frame, segmentation, max_frame) {
                while let Some(len) = segments.next_len() {
                    prop_assert!(len <= max_frame);
                    segments.write(&mut vec![0; len]);
                }
            }
            let _ = segmentation.judge(&mut frame, RxMeta::default(), max_frame);
        }
    }
}

#[test]
fn what_is_not_large_is_told() {
    let frame = large(GsoProtocol::TcpV4, 0, 0x10, &[7; 3000]);
    let of = |kind, size| Segmentation {
        kind,
        size: NonZeroU16::new(size).unwrap(),
    };
    let mut wrong_protocol = frame.clone();
    wrong_protocol[23] = 17;
    let mut fragment = frame.clone();
    fragment[20] = 0x20;
    let mut long_header = frame.clone();
    long_header[46] = 0x40;
    for (mut frame, segmentation) in [
        (frame.clone(), of(GsoProtocol::TcpV6, 1448)),
        (frame.clone(), of(GsoProtocol::TcpV4, MIN_SEGMENT - 1)),
        (frame[..3000].to_vec(), of(GsoProtocol::TcpV4, 1448)),
        (wrong_protocol, of(GsoProtocol::TcpV4, 1448)),
        (fragment, of(GsoProtocol::TcpV4, 1448)),
        (long_header, of(GsoProtocol::TcpV4, 1448)),
    ] {
        let judged = segmentation.judge(&mut frame, RxMeta::default(), 1514);
        assert_eq!(judged, Err(NotLarge));
    }
    assert!(Segments::new(&frame, of(GsoProtocol::TcpV4, 1448), 54).is_err());
}

#[test]
fn what_a_peer_says_is_made_true() {
    let frame = large(GsoProtocol::TcpV4, 0, 0x10, &[7; 3000]);
    let mut completed = frame.clone();
    complete(&mut completed).unwrap();
    let segmentation = Segmentation {
        kind: GsoProtocol::TcpV4,
        size: NonZeroU16::new(1448).unwrap(),
    };
    let meta = RxChecksum::Validated.into();
    let judged = segmentation.judge(&mut completed, meta, 1514).unwrap();
    assert_eq!(judged.checksum, RxChecksum::Blank);
    assert_eq!(judged.segmentation, Some(segmentation));
    assert_eq!(completed, frame);
    // One segment is an ordinary frame.
    let mut small = large(GsoProtocol::TcpV4, 0, 0x10, &[7; 1000]);
    let judged = segmentation.judge(&mut small, RxChecksum::Blank.into(), 1514);
    assert_eq!(judged, Ok(RxChecksum::Blank.into()));
}
