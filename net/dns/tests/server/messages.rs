//! Messages of every kind of brokenness, and those that are about more than a question.

use morgana_dns::{Config, Outcome, Server, Zone, Zones, notification};

use crate::support::{
    NOW, ask, ask_from, exchange, name, query, server, server_with, show, tcp, udp,
};

const ZONE: &str = "example. 60 SOA ns.example. h.example. 7 1 1 1 30\nexample. 60 NS ns.example.\nns.example. 60 A 192.0.2.1\n";

/// `ns.example. A IN`.
const QUESTION: &[u8] = b"\x02ns\x07example\0\0\x01\0\x01";

fn message(header: [u8; 12], rest: &[u8]) -> Vec<u8> {
    [&header, rest].concat()
}

/// A message with these counts, an opcode in `flags`, and what comes after the header.
fn counted(flags: u8, counts: [u8; 4], rest: &[u8]) -> Vec<u8> {
    let [questions, answers, authorities, additional] = counts;
    message(
        [
            1,
            2,
            flags,
            0,
            0,
            questions,
            0,
            answers,
            0,
            authorities,
            0,
            additional,
        ],
        rest,
    )
}

fn with(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn what_is_no_query_gets_the_code_that_the_rfcs_want_or_silence() {
    let opt: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    let version_1: &[u8] = &[0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0];
    let named_opt: &[u8] = &[1, b'a', 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    let unknown_option: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 6, 0xff, 0xfe, 0, 2, 1, 2];
    let long_option: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0xff, 0xfe, 0, 2];
    let short_cookie: &[u8] = &[
        0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 10, 0, 7, 1, 2, 3, 4, 5, 6, 7,
    ];
    let record: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
    let tsig: &[u8] = &[0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0];
    let loop_question: &[u8] = b"\xc0\x0c\0\x01\0\x01";
    let forward_question: &[u8] = b"\xc0\x20\0\x01\0\x01";
    let chaos: &[u8] = b"\x02ns\x07example\0\0\x01\0\x03";
    let any_class: &[u8] = b"\x02ns\x07example\0\0\x01\0\xff";
    let mut long_name = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(4);
    long_name.extend_from_slice(b"\0\0\x01\0\x01");
    let label_64 = [b"\x40".as_slice(), &[b'a'; 64], b"\0\0\x01\0\x01"].concat();
    let cases: &[(&str, Vec<u8>, Option<&str>)] = &[
        ("nothing", vec![], None),
        ("less than a header", vec![0; 11], None),
        ("a response", counted(0x80, [1, 0, 0, 0], QUESTION), None),
        ("a header alone", counted(0, [0; 4], b""), Some("FORMERR")),
        (
            "no question",
            counted(0, [0, 0, 0, 1], opt),
            Some("FORMERR"),
        ),
        (
            "two questions",
            counted(0, [2, 0, 0, 0], &with(&[QUESTION, QUESTION])),
            Some("FORMERR"),
        ),
        (
            "a question that is missing",
            counted(0, [1, 0, 0, 0], b""),
            Some("FORMERR"),
        ),
        (
            "half a question",
            counted(0, [1, 0, 0, 0], &QUESTION[..9]),
            Some("FORMERR"),
        ),
        (
            "no class",
            counted(0, [1, 0, 0, 0], &QUESTION[..14]),
            Some("FORMERR"),
        ),
        (
            "a pointer to itself",
            counted(0, [1, 0, 0, 0], loop_question),
            Some("FORMERR"),
        ),
        (
            "a pointer ahead",
            counted(0, [1, 0, 0, 0], forward_question),
            Some("FORMERR"),
        ),
        (
            "a name of 257 octets",
            counted(0, [1, 0, 0, 0], &long_name),
            Some("FORMERR"),
        ),
        (
            "a label of 64 octets",
            counted(0, [1, 0, 0, 0], &label_64),
            Some("FORMERR"),
        ),
        (
            "octets behind",
            counted(0, [1, 0, 0, 0], &with(&[QUESTION, b"x"])),
            Some("FORMERR"),
        ),
        (
            "an answer in a query",
            counted(0, [1, 1, 0, 0], &with(&[QUESTION, record])),
            Some("FORMERR"),
        ),
        (
            "an authority in a query",
            counted(0, [1, 0, 1, 0], &with(&[QUESTION, record])),
            Some("FORMERR"),
        ),
        (
            "an additional record that is missing",
            counted(0, [1, 0, 0, 1], QUESTION),
            Some("FORMERR"),
        ),
        (
            "half of one",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, &record[..15]])),
            Some("FORMERR"),
        ),
        (
            "one of no meaning",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, record])),
            Some("NOERROR aa"),
        ),
        (
            "two OPT",
            counted(0, [1, 0, 0, 2], &with(&[QUESTION, opt, opt])),
            Some("FORMERR"),
        ),
        (
            "an OPT with a name",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, named_opt])),
            Some("FORMERR"),
        ),
        (
            "another version",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, version_1])),
            Some("BADVERS edns=1232"),
        ),
        (
            "an unknown option",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, unknown_option])),
            Some("NOERROR aa edns=1232"),
        ),
        (
            "an option that is longer than OPT",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, long_option])),
            Some("FORMERR"),
        ),
        (
            "a cookie of 7 octets",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, short_cookie])),
            Some("FORMERR"),
        ),
        (
            "a signature",
            counted(0, [1, 0, 0, 1], &with(&[QUESTION, tsig])),
            Some("NOTAUTH"),
        ),
        (
            "a signature before another record",
            counted(0, [1, 0, 0, 2], &with(&[QUESTION, tsig, opt])),
            Some("FORMERR"),
        ),
        (
            "an inverse query",
            counted(1 << 3, [1, 0, 0, 0], QUESTION),
            Some("NOTIMP"),
        ),
        (
            "a status query",
            counted(2 << 3, [0; 4], b""),
            Some("NOTIMP"),
        ),
        (
            "an update",
            counted(5 << 3, [1, 0, 0, 0], QUESTION),
            Some("NOTIMP"),
        ),
        (
            "opcode 15",
            counted(15 << 3, [9, 9, 9, 9], b"?"),
            Some("NOTIMP"),
        ),
        ("class CH", counted(0, [1, 0, 0, 0], chaos), Some("REFUSED")),
        (
            "any class",
            counted(0, [1, 0, 0, 0], any_class),
            Some("REFUSED"),
        ),
        (
            "RA, Z, AD and a code in a query",
            message([1, 2, 0, 0xef, 0, 1, 0, 0, 0, 0, 0, 0], QUESTION),
            Some("NOERROR aa"),
        ),
        (
            "AA and TC in a query",
            message([1, 2, 6, 0, 0, 1, 0, 0, 0, 0, 0, 0], QUESTION),
            Some("NOERROR aa"),
        ),
        (
            "RD and CD",
            message([1, 2, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0], QUESTION),
            Some("NOERROR aa rd cd"),
        ),
    ];
    let mut server = server(&[ZONE]);
    for (what, message, expected) in cases {
        let answer = exchange(&mut server, message, udp("192.0.2.1"));
        let shown = answer.as_deref().map(show);
        assert_eq!(
            shown.as_ref().and_then(|text| text.lines().next()),
            *expected,
            "{what}"
        );
        if let Some(answer) = answer {
            assert_eq!(
                (answer[..2] == message[..2], answer[2] & 0x78),
                (true, message[2] & 0x78),
                "{what}"
            );
        }
    }
}

#[test]
fn every_shortened_message_gets_an_error_or_silence() {
    let mut server = server(&[ZONE]);
    let whole = query("ns.example. A do");
    for len in 0..whole.len() {
        let answer = exchange(&mut server, &whole[..len], udp("192.0.2.1"));
        match answer {
            None => assert!(len < 12),
            Some(answer) => assert_eq!(show(&answer).trim(), "FORMERR", "{len}"),
        }
    }
}

#[test]
fn the_case_of_a_name_and_the_id_are_the_querys_own() {
    let mut server = server(&[ZONE]);
    for (id, text) in [(1u8, b"ns"), (2, b"Ns"), (3, b"NS"), (4, b"nS")] {
        let mut message = counted(0, [1, 0, 0, 0], QUESTION);
        message[0] = id;
        message[13..15].copy_from_slice(text);
        let answer = exchange(&mut server, &message, udp("192.0.2.1")).unwrap();
        assert_eq!((answer[0], &answer[13..15]), (id, text.as_slice()));
    }
    assert_eq!(
        (server.stats().memo_hits, server.stats().memo_misses),
        (2, 2),
        "an answer is kept when its question comes for the second time"
    );
}

#[test]
fn a_question_that_comes_once_drives_no_kept_answer_out() {
    let config = Config {
        memo_answers: 2,
        ..Config::default()
    };
    let mut server = server_with(&[ZONE], config);
    let mut ask = |words: &str| {
        exchange(&mut server, &query(words), udp("192.0.2.1")).unwrap();
        server.stats().memo_hits
    };
    ask("ns.example. A");
    ask("ns.example. A");
    for number in 0..100 {
        ask(&format!("no{number}.example. A"));
    }
    assert_eq!((ask("ns.example. A"), ask("ns.example. A")), (1, 2));
}

fn transfer(server: &mut Server, words: &str, address: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut out = Vec::new();
    match server.answer(&query(words), tcp(address), NOW, &mut out) {
        Outcome::Transfer(mut transfer) => {
            let mut messages = Vec::new();
            let mut message = Vec::new();
            while transfer.next(&mut message) {
                messages.push(std::mem::take(&mut message));
            }
            Ok(messages)
        }
        Outcome::Reply => Err(show(&out)),
        Outcome::Drop => Err(String::new()),
    }
}

#[test]
fn a_zone_is_transferred_to_who_may_have_it_in_several_messages() {
    let mut text = ZONE.to_owned();
    for host in 0..3_000 {
        text.push_str(&format!("host-{host}.example. 60 A 192.0.2.7\n"));
    }
    let mut server = server(&[&text]);
    let messages = transfer(&mut server, "example. AXFR edns", "192.0.2.53").unwrap();
    assert!(messages.len() > 3);
    let mut lines = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let text = show(message);
        let head = if place == 0 {
            "NOERROR aa edns=1232"
        } else {
            "NOERROR aa"
        };
        assert_eq!(text.lines().next(), Some(head));
        assert!(message.len() < 17_000);
        lines.extend(text.lines().skip(1).map(str::to_owned));
    }
    assert_eq!(lines.len(), 3_000 + 4);
    assert!(lines[0].contains(" SOA ") && lines[0] == lines[lines.len() - 1]);
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 3_000 + 3);
    for (words, address, code) in [
        ("example. AXFR", "192.0.2.54", "REFUSED"),
        ("ns.example. AXFR", "192.0.2.53", "NOTAUTH"),
        ("other. AXFR", "192.0.2.53", "NOTAUTH"),
    ] {
        let answer = transfer(&mut server, words, address).unwrap_err();
        assert_eq!(answer.trim(), code, "{words} {address}");
    }
    assert_eq!(ask(&mut server, "example. AXFR").trim(), "FORMERR");
    let soa = ask_from(&mut server, "example. IXFR", udp("192.0.2.53"));
    assert!(soa.starts_with("NOERROR aa\nexample. 60 SOA "));
}

#[test]
fn a_transfer_goes_on_with_the_zone_that_it_began_with() {
    let mut server = server(&[ZONE]);
    let mut out = Vec::new();
    let outcome = server.answer(&query("example. AXFR"), tcp("192.0.2.53"), NOW, &mut out);
    server.replace(Zones::new());
    assert_eq!(ask(&mut server, "ns.example. A").trim(), "REFUSED");
    let Outcome::Transfer(mut transfer) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(transfer.next(&mut out));
    assert_eq!(show(&out).lines().count(), 5);
    assert!(!transfer.next(&mut out));
}

#[test]
fn notifications_are_made_and_answered() {
    let mut server = server(&[ZONE]);
    let zone = Zone::parse(None, "test", ZONE.as_bytes()).unwrap();
    let notification = notification(&zone, 7);
    let answer = exchange(&mut server, notification.message(), udp("192.0.2.1")).unwrap();
    assert_eq!(show(&answer).trim(), "NOERROR aa");
    assert!(notification.is_answered_by(&answer));
    assert!(!notification.is_answered_by(notification.message()));
    assert!(!notification.is_answered_by(&answer[..11]));
    server.replace(Zones::new());
    let answer = exchange(&mut server, notification.message(), udp("192.0.2.1")).unwrap();
    assert_eq!(show(&answer).trim(), "NOTAUTH");
    assert!(server.zones().get(&name("example.")).is_none());
}

#[test]
fn what_does_not_fit_is_truncated_and_tcp_has_it_all() {
    let mut text = ZONE.to_owned();
    for host in 0..60 {
        text.push_str(&format!("many.example. 60 A 192.0.2.{host}\n"));
    }
    let mut server = server(&[&text]);
    assert_eq!(ask(&mut server, "many.example. A").trim(), "NOERROR aa tc");
    assert_eq!(
        ask(&mut server, "many.example. A size=700").trim(),
        "NOERROR aa tc edns=1232"
    );
    assert_eq!(
        ask(&mut server, "many.example. A size=1232")
            .lines()
            .count(),
        61
    );
    assert_eq!(
        ask(&mut server, "many.example. A size=65535")
            .lines()
            .count(),
        61
    );
    let whole = ask_from(&mut server, "many.example. A", tcp("192.0.2.1"));
    assert_eq!(whole.lines().count(), 61);
}
