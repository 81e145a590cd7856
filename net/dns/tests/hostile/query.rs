//! A message to a server: whatever comes, the answer is well-formed, within its limit, and the same when it is kept.

use domain::base::Message;
use morgana_dns::{Config, Outcome, Peer, Server, Transport, Zone, Zones};
use morgana_hal::WallTime;

const NOW: WallTime = WallTime::from_unix_nanos(1_800_000_000_000_000_000);

/// Zones of all kinds; signatures need not be good to be served.
const ZONES: [&str; 3] = [
    "example. 60 SOA ns.example. h.example. 7 1 1 1 30\n 60 NS ns.example.\nns.example. 60 A 192.0.2.1\n*.w.example. 60 TXT \"star\"\n\
     *.c.example. 60 CNAME a.c.example.\nl.example. 60 CNAME l.example.\nd.example. 60 DNAME d.d.example.\ns.example. 60 NS ns.s.example.\nns.s.example. 60 A 192.0.2.2\n\
     m.example. 60 MX 1 ns.example.\nm.example. 60 MX 1 ns.example.\n",
    "nsec. 60 SOA ns.nsec. h.nsec. 7 1 1 1 30\n 60 NS ns.nsec.\n 60 NSEC ns.nsec. NS SOA RRSIG NSEC\n 60 RRSIG SOA 8 1 60 20300101000000 20200101000000 1 nsec. AAAA\n\
     ns.nsec. 60 A 192.0.2.1\nns.nsec. 60 NSEC *.w.nsec. A NSEC\n*.w.nsec. 60 A 192.0.2.3\n*.w.nsec. 60 NSEC nsec. A NSEC\n",
    "nsec3. 60 SOA ns.nsec3. h.nsec3. 7 1 1 1 30\n 60 NS ns.nsec3.\n 60 NSEC3PARAM 1 0 1 AB\nns.nsec3. 60 A 192.0.2.1\nu.nsec3. 60 NS ns.nsec3.\n\
     0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.nsec3. 60 NSEC3 1 1 1 AB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n2t7b4g4vsa5smi47k61mv5bv1a22bojr.nsec3. 60 NSEC3 1 1 1 AB 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n",
];

fn server(memo_answers: usize) -> Server {
    let zones: Zones = ZONES
        .iter()
        .map(|text| Zone::parse(None, "zone", text.as_bytes()).expect("a zone of our own"))
        .collect();
    let config = Config {
        memo_answers,
        rate_limit: None,
        transfers: vec!["::/0".parse().expect("a network")],
        ..Config::default()
    };
    Server::new(zones, config)
}

/// The first octet chooses how the message comes, the rest is the message. True if it was answered.
pub(crate) fn check(input: &[u8]) -> bool {
    let Some((&how, message)) = input.split_first() else {
        return false;
    };
    let peer = Peer {
        address: if how & 2 == 0 {
            "192.0.2.9"
        } else {
            "2001:db8::9"
        }
        .parse()
        .expect("an address"),
        transport: if how & 1 == 0 {
            Transport::Udp
        } else {
            Transport::Tcp
        },
    };
    let (mut keeping, mut forgetting) = (server(64), server(0));
    let first = answer(&mut keeping, message, peer);
    assert_eq!(
        first,
        answer(&mut keeping, message, peer),
        "kept is not made"
    );
    assert_eq!(first, answer(&mut forgetting, message, peer));
    let Some(answers) = first else {
        return false;
    };
    for answer in &answers {
        well_formed(message, answer);
        let limit = if peer.transport == Transport::Udp {
            1232
        } else {
            65_535
        };
        assert!(answer.len() <= limit);
    }
    true
}

fn answer(server: &mut Server, message: &[u8], peer: Peer) -> Option<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    match server.answer(message, peer, NOW, &mut out) {
        Outcome::Reply => Some(vec![out]),
        Outcome::Drop => {
            assert!(out.is_empty());
            None
        }
        Outcome::Transfer(mut transfer) => {
            let mut messages = Vec::new();
            while transfer.next(&mut out) {
                messages.push(core::mem::take(&mut out));
            }
            Some(messages)
        }
    }
}

/// As another implementation reads it.
fn well_formed(query: &[u8], answer: &[u8]) {
    assert_eq!(query[..2], answer[..2]);
    let answer = Message::from_octets(answer).expect("a header");
    assert!(answer.header().qr());
    let (questions, first, second, third) = answer.sections().expect("sections");
    for question in questions {
        question.expect("a question");
    }
    for section in [first, second, third] {
        for record in section {
            record.expect("a record");
        }
    }
}
