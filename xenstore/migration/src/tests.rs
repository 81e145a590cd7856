//! The format against the document's layouts, and what is written against what is read back.

extern crate std;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::{DomId, Port};
use morgana_xenstore_wire::{Access, Permission};
use proptest::prelude::*;

use super::*;

fn stream(version: u32, records: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = b"xenstore".to_vec();
    bytes.extend(version.to_be_bytes());
    bytes.extend([0; 4]);
    for (kind, body) in records {
        bytes.extend(kind.to_le_bytes());
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(*body);
        // The length may leave the padding out.
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Record<'_>>, BadState> {
    let mut reader = Reader::new(bytes)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push(record);
    }
    Ok(records)
}

fn stated(domain: u16, access: Access, validity: Validity) -> StatedPermission {
    let domain = DomId::new(domain);
    let permission = Permission { domain, access };
    StatedPermission {
        permission,
        validity,
    }
}

/// Each layout of docs/designs/xenstore-migration.md, as the C daemon of Xen 4.17 fills it.
#[test]
fn fields_lie_where_the_document_has_them() {
    let bytes = stream(
        1,
        &[
            (1, &[5, 0, 0, 0, 6, 0, 0, 0]),
            (
                2,
                // Domain 7, which acts for domain 3; own port 9; two bytes read, three to be written.
                b"\x01\0\0\0\0\0\0\0\x07\0\x03\0\x09\0\0\0\x02\0\x01\0\x03\0\0\0inout\0\0\0",
            ),
            (2, b"\x02\0\0\0\x01\0\0\0\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            (3, b"\x01\0\0\0\x02\0\x03\0a\0to\0\0\0\0"),
            (4, &[1, 0, 0, 0, 8, 0, 0, 0]),
            (
                5,
                b"\0\0\0\0\0\0\0\0\x03\0\x02\0\0\0\x02\0n\0\0\0b\x01\x07\0/a\0xy\0\0\0",
            ),
            (77, &[1, 2, 3, 4, 5, 6, 7, 8]),
            (0, &[]),
        ],
    );
    let mut permissions = PermissionBytes::default();
    let permissions = permissions.list(
        [
            stated(0, Access::None, Validity::Valid),
            stated(7, Access::Both, Validity::Stale),
        ]
        .into_iter(),
    );
    let ring = Place::Ring {
        domain: DomId::new(7),
        target: Some(DomId::new(3)),
        port: Port::new(9),
    };
    let connection = |id, place, input, output, partial| Connection {
        id,
        place,
        input,
        output,
        partial,
        unique: None,
    };
    assert_eq!(
        read(&bytes).unwrap(),
        [
            Record::Global(Global {
                socket: Descriptor(5),
                events: Descriptor(6)
            }),
            Record::Connection(connection(1, ring, b"in", b"out", 1)),
            Record::Connection(connection(2, Place::Socket(Descriptor(11)), b"", b"", 0)),
            Record::Watch(Watch {
                connection: 1,
                path: "a",
                token: "to",
                depth: None
            }),
            Record::Transaction(Transaction {
                connection: 1,
                id: 8
            }),
            Record::Node(Node {
                scope: Scope::Main,
                path: "/a",
                value: b"xy",
                access: 0,
                permissions
            }),
            Record::Unknown(77),
        ]
    );
}

#[test]
fn what_version_2_adds() {
    let domain = b"\x07\0\x02\0\x0f\0\0\0\x05\0\0\0\0\0\0\0nodes\0soft-memory\0";
    let bytes = stream(
        2,
        &[
            (6, b"\x01\0\x01\0\x09\0\0\0\x08\0\0\0nodes\0all\0"),
            (8, b"\x01\0\0\0\x02\0\x02\0\x02\0\0\0a\0t\0"),
            (8, b"\x01\0\0\0\x02\0\x02\0\xff\xff\0\0a\0t\0"),
            (7, domain),
            (0, &[]),
        ],
    );
    let records = read(&bytes).unwrap();
    let [
        Record::Quotas(all),
        Record::Watch(deep),
        Record::Watch(endless),
        Record::Domain(domain),
    ] = records[..]
    else {
        panic!("{records:?}");
    };
    assert_eq!(all.iter().collect::<Vec<_>>(), [("nodes", 9)]);
    assert_eq!((deep.depth, endless.depth), (Some(2), None));
    assert_eq!(domain.features, Some(15));
    assert_eq!(
        domain.quotas.iter().collect::<Vec<_>>(),
        [("nodes", 5), ("soft-memory", 0)]
    );
}

#[test]
fn a_domains_unique_id_stands_behind_the_data() {
    let body = b"\x01\0\0\0\0\0\x01\0\x07\0\xf4\x7f\x09\0\0\0\x01\0\0\0\0\0\0\0i\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\0";
    let bytes = stream(2, &[(2, body), (0, &[])]);
    let records = read(&bytes).unwrap();
    let [Record::Connection(connection)] = records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(connection.unique, Some(42));
    let mut writer = Writer::new();
    writer.push(&records[0]).unwrap();
    assert_eq!(writer.finish(), bytes);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let good = (1, &[0; 8][..]);
    let bad = |record, offset, flaw| {
        Err(BadState {
            record,
            offset,
            flaw,
        })
    };
    for (bytes, expected) in [
        (b"xenstor".to_vec(), bad(0, 0, Flaw::Ident)),
        (b"xenstore\0\0".to_vec(), bad(0, 0, Flaw::Truncated)),
        (stream(0, &[]), bad(0, 0, Flaw::Version(0))),
        (stream(3, &[]), bad(0, 0, Flaw::Version(3))),
        (
            b"xenstore\0\0\0\x01\0\0\0\x01".to_vec(),
            bad(0, 0, Flaw::Flags(1)),
        ),
        (stream(1, &[good]), bad(2, 32, Flaw::Truncated)),
        (stream(1, &[good, (1, &[0; 4])]), bad(2, 32, Flaw::Short)),
        (
            stream(1, &[(3, b"\x01\0\0\0\x01\0\x01\0ab")]),
            bad(1, 16, Flaw::Text),
        ),
        (
            stream(1, &[(3, b"\x01\0\0\0\0\0\0\0")]),
            bad(1, 16, Flaw::Text),
        ),
        (
            stream(1, &[(5, b"\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\x01\0x\0\0\0/\0")]),
            bad(1, 16, Flaw::Access(b'x')),
        ),
        (
            stream(1, &[(2, &[1, 0, 0, 0, 2, 0, 0, 0])]),
            bad(1, 16, Flaw::ConnectionType(2)),
        ),
        (stream(1, &[(2, &[0; 24])]), bad(1, 16, Flaw::ConnectionId)),
        (
            stream(
                1,
                &[(
                    2,
                    b"\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\x01\0\0\0x\0\0\0",
                )],
            ),
            bad(1, 16, Flaw::PartialReply),
        ),
        (
            stream(2, &[(6, b"\x02\0\0\0\0\0\0\0\0\0\0\0a\0")]),
            bad(1, 16, Flaw::Text),
        ),
    ] {
        assert_eq!(read(&bytes), expected, "{bytes:?}");
    }
    let said = read(&stream(1, &[good])).unwrap_err().to_string();
    assert_eq!(
        said,
        "record 2 of the state, at byte 32: the stream ends before its end"
    );
}

#[test]
fn what_does_not_fit_its_field_is_refused_and_leaves_no_trace() {
    let long = "x".repeat(65_535);
    let mut writer = Writer::new();
    let node = Record::Node(Node {
        scope: Scope::Main,
        path: &long,
        value: b"",
        access: 0,
        permissions: Permissions::default(),
    });
    assert_eq!(writer.push(&node), Err(TooLong));
    assert_eq!(writer.finish(), Writer::new().finish());
}

/// What a record is made of.
#[derive(Clone, Debug)]
struct Parts {
    kind: u8,
    numbers: [u32; 3],
    text: String,
    other: String,
    value: Vec<u8>,
    permissions: Vec<(u16, u8, bool)>,
    limits: Vec<(String, u32)>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let value = prop::collection::vec(any::<u8>(), 0..40);
    let permissions = prop::collection::vec((any::<u16>(), 0..4_u8, any::<bool>()), 0..6);
    let limits = prop::collection::vec(("[a-z-]{1,12}", any::<u32>()), 0..5);
    let texts = ("[a-z/@]{0,20}", "[a-z/@]{0,20}");
    (
        0..15_u8,
        any::<[u32; 3]>(),
        texts,
        value,
        permissions,
        limits,
    )
        .prop_map(
            |(kind, numbers, (text, other), value, permissions, limits)| Parts {
                kind,
                numbers,
                text,
                other,
                value,
                permissions,
                limits,
            },
        )
}

/// Gives the record to `each`.
fn with_record(parts: &Parts, each: impl FnOnce(Record<'_>)) {
    let [first, second, third] = parts.numbers;
    let low = first as u16;
    let mut permissions = PermissionBytes::default();
    let permissions = permissions.list(parts.permissions.iter().map(|&(domain, access, valid)| {
        let access = [Access::None, Access::Read, Access::Write, Access::Both][access as usize];
        let validity = if valid {
            Validity::Valid
        } else {
            Validity::Stale
        };
        stated(domain, access, validity)
    }));
    let mut quotas = QuotaBytes::default();
    let limits = parts.limits.iter().map(|(name, limit)| (&**name, *limit));
    let quotas = quotas.list(limits).unwrap();
    let transaction = Transaction {
        connection: first.max(1),
        id: second,
    };
    let node = Node {
        scope: if third % 2 == 0 {
            Scope::Main
        } else {
            Scope::Transaction(transaction)
        },
        path: &parts.text,
        value: &parts.value,
        access: low,
        permissions,
    };
    let domain = DomId::new(low);
    let partial = parts.value.len().min(third as usize) as u16;
    let connection = |place, unique| Connection {
        id: first.max(1),
        place,
        input: parts.text.as_bytes(),
        output: &parts.value,
        partial,
        unique,
    };
    let descriptor = Descriptor(second as i32);
    let ring = Place::Ring {
        domain,
        target: (third % 2 == 0).then_some(DomId::new(second as u16 % 1000)),
        port: Port::new(third),
    };
    each(match parts.kind {
        0 => Record::Global(Global {
            socket: descriptor,
            events: Descriptor(third as i32),
        }),
        1 => Record::Connection(connection(ring, Some(u64::from(second) << 20))),
        2 => Record::Connection(connection(Place::Socket(descriptor), None)),
        3 => Record::Watch(Watch {
            connection: first,
            path: &parts.text,
            token: &parts.other,
            depth: (third % 2 == 0).then_some(low.min(0xFFFE)),
        }),
        4 => Record::Transaction(transaction),
        5 => Record::Node(node),
        6 => Record::Quotas(quotas),
        7 => Record::Domain(DomainData {
            domain,
            features: Some(third),
            quotas,
        }),
        8 => Record::OwnGlobal(OwnGlobal {
            changes: u64::from(first) << 9,
            flags: second,
            pid_file: descriptor,
        }),
        9 => Record::OwnConnection(OwnConnection {
            connection: first,
            last_transaction: second,
            flags: third,
        }),
        10 => Record::OwnDomain(OwnDomain {
            domain,
            flags: second as u16,
            port: Port::new(third),
        }),
        11 => Record::OwnTransaction(OwnTransaction {
            transaction,
            flags: third,
        }),
        12 => Record::Unwatch(Watch {
            connection: first,
            path: &parts.text,
            token: &parts.other,
            depth: None,
        }),
        13 => Record::Event(OwnEvent {
            domain,
            what: second as u16,
            number: third,
        }),
        _ if third % 2 == 0 => Record::Note(node),
        _ => Record::Step(node),
    });
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(all in prop::collection::vec(parts(), 0..12)) {
        let mut writer = Writer::new();
        for parts in &all {
            with_record(parts, |record| writer.push(&record).unwrap());
        }
        let bytes = writer.finish();
        prop_assert_eq!(bytes.len() % 8, 0);
        let mut reader = Reader::new(&bytes).unwrap();
        for parts in &all {
            let back = reader.next().unwrap();
            with_record(parts, |record| assert_eq!(back, Some(record)));
        }
        prop_assert_eq!(reader.next(), Ok(None));
        // Whatever is cut off is missed.
        let cut = vec![&bytes[..bytes.len() - 1], &bytes[..bytes.len() - 8]];
        for short in cut {
            prop_assert!(read(short).is_err());
        }
    }
}
