//! Records, entries, queries and messages: what is made is read, what is too long is cut, what is wanted is found.

extern crate std;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use log::Level;
use morgana_hal::{DomId, WallTime};
use proptest::prelude::*;

use crate::*;

fn text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..=most / 4)
        .prop_map(|characters| characters.into_iter().collect())
}

fn time() -> impl Strategy<Value = WallTime> {
    any::<u64>().prop_map(WallTime::from_unix_nanos)
}

fn level() -> impl Strategy<Value = Level> {
    (0usize..5).prop_map(|index| Level::iter().nth(index).unwrap())
}

prop_compose! {
    fn record()(
        time in time(), level in level(), target in text(MAX_TARGET), message in text(200),
        fields in prop::collection::vec((text(MAX_KEY), text(60)), 0..=MAX_FIELDS),
    ) -> Record {
        Record { time, level, target, message, fields }
    }
}

prop_compose! {
    fn entry()(domain: u16, claimed: bool, name in text(MAX_NAME), received in time(), record in record()) -> Entry {
        let name = if claimed { Name::Claimed(name) } else { Name::Known(name) };
        Entry { domain: DomId::new(domain), name, received, record }
    }
}

prop_compose! {
    fn query()(
        whose in prop_oneof![
            Just(Whose::All),
            any::<u16>().prop_map(|id| Whose::Id(DomId::new(id))),
            text(MAX_TEXT).prop_map(Whose::Name),
        ],
        level in level(), target in text(MAX_TEXT), text in text(MAX_TEXT), since in time(), until in time(), from: u64,
        follow in prop_oneof![Just(Follow::No), Just(Follow::Yes)],
    ) -> Query {
        Query { whose, level, target, text, since, until, from, follow }
    }
}

fn to_logger() -> impl Strategy<Value = ToLogger> {
    prop_oneof![
        (any::<u64>(), text(MAX_NAME))
            .prop_map(|(session, name)| ToLogger::Hello(Role::Send { session, name })),
        query().prop_map(|query| ToLogger::Hello(Role::Read(query))),
        (any::<u64>(), record()).prop_map(|(number, record)| ToLogger::Record(number, record)),
    ]
}

fn to_domain() -> impl Strategy<Value = ToDomain> {
    prop_oneof![
        any::<u64>().prop_map(ToDomain::Kept),
        any::<u64>().prop_map(ToDomain::Lost),
        any::<u64>().prop_map(ToDomain::UpToDate),
        Just(ToDomain::Refused(Refusal::TooMany)),
        Just(ToDomain::Refused(Refusal::NotAllowed)),
        (any::<u64>(), entry()).prop_map(|(number, entry)| ToDomain::Entry(number, entry)),
    ]
}

proptest! {
    #[test]
    fn messages_to_the_logger_arrive_however_they_are_cut(sent in prop::collection::vec(to_logger(), 1..5), piece in 1usize..600) {
        let mut bytes = Vec::new();
        sent.iter().for_each(|message| message.encode(&mut bytes));
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            frames.add(piece);
            while let Some(message) = frames.to_logger().unwrap() {
                found.push(message);
            }
        }
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn messages_from_the_logger_arrive(sent in to_domain()) {
        let mut bytes = Vec::new();
        sent.encode(&mut bytes);
        let mut frames = Frames::default();
        frames.add(&bytes);
        prop_assert_eq!(frames.to_domain(), Ok(Some(sent)));
        prop_assert_eq!(frames.to_domain(), Ok(None));
    }

    #[test]
    fn what_is_too_long_is_cut_and_can_be_read(target in text(4 * MAX_TARGET), message in text(4 * MAX_MESSAGE),
        fields in prop::collection::vec((text(4 * MAX_KEY), text(4 * MAX_VALUE)), 0..2 * MAX_FIELDS)) {
        let record = Record { time: WallTime::from_unix_nanos(1), level: Level::Info, target, message, fields };
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        prop_assert!(bytes.len() <= MAX_RECORD);
        let read = Record::decode(&bytes).unwrap();
        for (long, cut, most) in [(&record.target, &read.target, MAX_TARGET), (&record.message, &read.message, MAX_MESSAGE)] {
            prop_assert_eq!(long.len() > most, cut != long);
            prop_assert!(long.starts_with(cut.trim_end_matches('…')));
        }
        prop_assert!(read.fields.len() <= record.fields.len());
    }

    #[test]
    fn any_line_is_one_line_without_controls(entry in entry()) {
        let line = Line(&entry).to_string();
        prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
    }
}

fn at(seconds: u64) -> WallTime {
    WallTime::from_unix_nanos((1_790_812_800 + seconds) * 1_000_000_000)
}

fn example() -> Entry {
    Entry {
        domain: DomId::new(5),
        name: Name::Known("web".into()),
        received: at(60),
        record: Record {
            time: at(59),
            level: Level::Warn,
            target: "website::serve".into(),
            message: "a client\x1b[31m\nis slow".into(),
            fields: vec![
                ("peer".into(), "10.0.2.2:80".into()),
                ("why".into(), "it said \"wait\"".into()),
            ],
        },
    }
}

#[test]
fn an_entry_is_shown_harmless() {
    let mut entry = example();
    assert_eq!(
        Line(&entry).to_string(),
        "2026-10-01T00:00:59.000Z 5:web WARN  website::serve: a client\\u{1b}[31m\\nis slow peer=10.0.2.2:80 why=\"it said \\\"wait\\\"\""
    );
    entry.name = Name::Claimed("dom0".into());
    assert!(Line(&entry).to_string().contains(" 5:dom0? WARN "));
}

#[test]
fn a_domain_cannot_lie_about_time_by_more_than_an_hour() {
    let mut entry = example();
    for (said, counts) in [(59, 59), (61, 60), (3660, 60), (0, 0)] {
        entry.record.time = at(said);
        assert_eq!(entry.time(), at(counts));
    }
    entry.received = at(3601);
    assert_eq!(entry.time(), at(3601));
}

#[test]
fn a_query_wants_what_fits_all_of_it() {
    let entry = example();
    let wants = |change: fn(&mut Query)| {
        let mut query = Query::default();
        change(&mut query);
        query.wants(&entry)
    };
    assert!(wants(|_| {}));
    assert!(wants(|query| query.whose = Whose::Id(DomId::new(5))));
    assert!(!wants(|query| query.whose = Whose::Id(DomId::new(6))));
    assert!(wants(|query| query.whose = Whose::Name("web".into())));
    assert!(!wants(|query| query.whose = Whose::Name("we".into())));
    assert!(wants(|query| query.level = Level::Warn));
    assert!(!wants(|query| query.level = Level::Error));
    assert!(wants(|query| query.target = "website".into()));
    assert!(!wants(|query| query.target = "site".into()));
    assert!(wants(|query| query.text = "slow".into()));
    assert!(wants(|query| query.text = "10.0.2".into()));
    assert!(!wants(|query| query.text = "fast".into()));
    assert!(wants(|query| (query.since, query.until) = (at(59), at(59))));
    assert!(!wants(|query| query.since = at(60)));
    assert!(!wants(|query| query.until = at(58)));
}

#[test]
fn a_span_of_time_is_left_out_only_if_nothing_in_it_can_be_wanted() {
    let query = Query {
        since: at(10_000),
        until: at(20_000),
        ..Query::default()
    };
    assert!(query.may_want(at(5000), at(10_000)));
    assert!(!query.may_want(at(5000), at(9999)));
    // What came up to an hour later may have happened then.
    assert!(query.may_want(at(20_000 + 3600), at(30_000)));
    assert!(!query.may_want(at(20_000 + 3601), at(30_000)));
}

#[test]
fn what_is_no_message_is_refused() {
    let refused = |bytes: &[u8]| {
        let mut frames = Frames::default();
        frames.add(bytes);
        frames.to_logger().unwrap_err()
    };
    assert_eq!(refused(&[9, 0, 0]), FormatError::Kind(9));
    assert_eq!(refused(&[3, 255, 255]), FormatError::Limit);
    assert_eq!(refused(&[3, 1, 0, 0]), FormatError::Short);
    assert_eq!(refused(b"\x01\x04\0mlox"), FormatError::Magic);
    assert_eq!(refused(b"\x01\x05\0mlog\x07"), FormatError::Version(7));
}
