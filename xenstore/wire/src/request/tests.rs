//! Requests on the wire, and streams of them.

extern crate std;

use super::*;
use crate::{Decoder, PAYLOAD_MAX};
use proptest::prelude::*;
use std::vec;

fn payload(request: Request<'_>) -> Vec<u8> {
    let mut out = vec![];
    request.emit(&mut out);
    out
}

#[test]
fn payloads_are_as_the_protocol_says() {
    let dom = DomId::new;
    let cases: &[(Request<'_>, &[u8])] = &[
        (
            Request::Control {
                payload: b"check\0",
            },
            b"check\0",
        ),
        (Request::Directory { path: "/a" }, b"/a\0"),
        (
            Request::DirectoryPart {
                path: "/a",
                offset: 4000,
            },
            b"/a\x004000\0",
        ),
        (Request::Read { path: "x/y" }, b"x/y\0"),
        (Request::GetPerms { path: "x" }, b"x\0"),
        (
            Request::SetPerms {
                path: "x",
                permissions: b"n0\0r7\0",
            },
            b"x\0n0\0r7\0",
        ),
        (
            Request::Watch {
                path: "@releaseDomain",
                token: "t",
                depth: None,
            },
            b"@releaseDomain\0t\0",
        ),
        (
            Request::Watch {
                path: "/",
                token: "t",
                depth: Some(1),
            },
            b"/\0t\x001\0",
        ),
        (
            Request::Unwatch {
                path: "/",
                token: "t",
            },
            b"/\0t\0",
        ),
        (Request::TransactionStart, b"\0"),
        (
            Request::TransactionEnd {
                commit: Commit::Yes,
            },
            b"T\0",
        ),
        (Request::TransactionEnd { commit: Commit::No }, b"F\0"),
        (
            Request::Introduce {
                domain: dom(3),
                frame: 1234,
                port: 1,
            },
            b"3\x001234\x001\0",
        ),
        (Request::Release { domain: dom(3) }, b"3\0"),
        (Request::GetDomainPath { domain: dom(65535) }, b"65535\0"),
        (
            Request::Write {
                path: "x",
                value: b"a\0b",
            },
            b"x\0a\0b",
        ),
        (Request::Mkdir { path: "x" }, b"x\0"),
        (Request::Rm { path: "x" }, b"x\0"),
        (Request::IsDomainIntroduced { domain: dom(0) }, b"0\0"),
        (Request::Resume { domain: dom(1) }, b"1\0"),
        (
            Request::SetTarget {
                domain: dom(1),
                target: dom(2),
            },
            b"1\x002\0",
        ),
        (Request::ResetWatches, b"\0"),
        (Request::GetFeature { domain: None }, b""),
        (
            Request::GetFeature {
                domain: Some(dom(1)),
            },
            b"1\0",
        ),
        (
            Request::SetFeature {
                domain: dom(1),
                features: 6,
            },
            b"1\x006\0",
        ),
        (Request::GetQuotaNames, b""),
        (
            Request::GetQuota {
                domain: None,
                quota: "nodes",
            },
            b"nodes\0",
        ),
        (
            Request::GetQuota {
                domain: Some(dom(1)),
                quota: "nodes",
            },
            b"1\0nodes\0",
        ),
        (
            Request::SetQuota {
                domain: None,
                quota: "nodes",
                value: 9,
            },
            b"nodes\x009\0",
        ),
        (
            Request::SetQuota {
                domain: Some(dom(1)),
                quota: "nodes",
                value: 9,
            },
            b"1\0nodes\x009\0",
        ),
    ];
    for (request, bytes) in cases {
        assert_eq!(payload(*request), *bytes, "{request:?}");
        assert_eq!(Request::parse(request.operation(), bytes), Ok(*request));
    }
}

#[test]
fn malformed_payloads_are_refused() {
    let cases: &[(Operation, &[u8])] = &[
        (Operation::Read, b""),
        (Operation::Read, b"/a"),
        (Operation::Read, b"/a\0b"),
        (Operation::Read, b"/a\0\0"),
        (Operation::Read, b"\xff\0"),
        (Operation::Write, b"/a"),
        (Operation::SetPerms, b"/a"),
        (Operation::Watch, b"/a\0"),
        (Operation::Watch, b"/a\0t\0x\0"),
        (Operation::TransactionStart, b"x\0"),
        (Operation::TransactionEnd, b"\0"),
        (Operation::TransactionEnd, b"T"),
        (Operation::Introduce, b"1\x002\0"),
        (Operation::Introduce, b"-1\x002\x003\0"),
        (Operation::Introduce, b"1\x00+2\x003\0"),
        (Operation::Introduce, b"1\x00--2\x003\0"),
        (Operation::GetDomainPath, b"65536\0"),
        (Operation::GetDomainPath, b"\0"),
        (Operation::SetQuota, b"nodes\0"),
        (Operation::WatchEvent, b"a\0b\0"),
        (Operation::Error, b"EINVAL\0"),
    ];
    for (operation, bytes) in cases {
        assert_eq!(
            Request::parse(*operation, bytes),
            Err(Malformed),
            "{operation:?} {bytes:?}"
        );
    }
}

#[test]
fn a_payload_over_the_limit_leaves_nothing_behind() {
    let mut out = vec![1, 2, 3];
    let value = vec![0; PAYLOAD_MAX];
    let encode = |value: &[u8], out: &mut Vec<u8>| {
        Request::Write { path: "a", value }.encode(RequestId(1), TransactionId::NONE, out)
    };
    assert_eq!(
        encode(&value[..PAYLOAD_MAX - 1], &mut out),
        Err(PayloadTooLong)
    );
    assert_eq!(out, [1, 2, 3]);
    assert_eq!(encode(&value[..PAYLOAD_MAX - 2], &mut out), Ok(()));
}

proptest! {
    #[test]
    fn any_payload_is_refused_or_means_what_it_says(
        index in 0..Operation::ALL.len(),
        bytes in prop::collection::vec(prop_oneof![Just(0u8), b'0'..=b'9', any::<u8>()], 0..40),
    ) {
        let operation = Operation::ALL[index];
        if let Ok(request) = Request::parse(operation, &bytes) {
            prop_assert_eq!(request.operation(), operation);
            let out = payload(request);
            prop_assert_eq!(Request::parse(operation, &out), Ok(request));
        }
    }

    #[test]
    fn packets_survive_any_cutting(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4000), 1..6),
        cuts in prop::collection::vec(1usize..5000, 1..20),
    ) {
        let mut bytes = vec![];
        for (id, value) in values.iter().enumerate() {
            let id = RequestId(id as u32);
            Request::Write { path: "p", value }.encode(id, TransactionId(9), &mut bytes).unwrap();
        }
        let mut decoder = Decoder::new();
        let (mut rest, mut cuts, mut seen) = (&bytes[..], cuts.iter().cycle(), 0);
        loop {
            while let Some(packet) = decoder.next().unwrap() {
                prop_assert_eq!(packet.header.request, RequestId(seen as u32));
                let expected = Request::Write { path: "p", value: &values[seen] };
                prop_assert_eq!(Request::parse(Operation::Write, packet.payload), Ok(expected));
                seen += 1;
            }
            if rest.is_empty() {
                break;
            }
            let space = decoder.space();
            let len = space.len().min(rest.len()).min(*cuts.next().unwrap());
            prop_assert!(len > 0);
            space[..len].copy_from_slice(&rest[..len]);
            decoder.filled(len);
            rest = &rest[len..];
        }
        prop_assert_eq!(seen, values.len());
        prop_assert!(decoder.is_between_packets());
    }
}

#[test]
fn a_length_over_the_limit_breaks_the_stream() {
    let mut decoder = Decoder::new();
    let mut header = [0; 16];
    header[12..].copy_from_slice(&4097u32.to_le_bytes());
    decoder.space()[..15].copy_from_slice(&header[..15]);
    decoder.filled(15);
    assert_eq!(decoder.next(), Ok(None));
    decoder.space()[..1].copy_from_slice(&header[15..]);
    decoder.filled(1);
    for _ in 0..2 {
        assert_eq!(decoder.next(), Err(crate::BadStream { len: 4097 }));
    }
}

/// docs/misc/xenstore.txt, INTRODUCE: the frame's number is signed.
#[test]
fn a_frame_may_be_negative() {
    let request = Request::parse(Operation::Introduce, b"1\x00-2\x003\0").unwrap();
    assert_eq!(
        request,
        Request::Introduce {
            domain: DomId::new(1),
            frame: u64::MAX - 1,
            port: 3
        }
    );
}
