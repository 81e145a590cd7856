//! Questions and answers as text. What is read here of a message is read by another implementation.

use std::fmt::Write as _;
use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};
use domain::base::message_builder::MessageBuilder;
use domain::base::{Message, Name as DomainName, ParsedRecord};
use domain::rdata::AllRecordData;
use morgana_dns::{Config, Name, Outcome, Peer, Server, Transport, Zone, Zones};
use morgana_hal::WallTime;

pub(crate) const NOW: WallTime = WallTime::from_unix_nanos(1_800_000_000_000_000_000);

pub(crate) fn zone(text: &str) -> Zone {
    match Zone::parse(None, "test", text.as_bytes()) {
        Ok(zone) => zone,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text.as_bytes(), None).unwrap()
}

/// A server without limits of rate.
pub(crate) fn server(zones: &[&str]) -> Server {
    server_with(zones, Config::default())
}

/// A server that limits no rate, and lets one address transfer zones.
pub(crate) fn server_with(zones: &[&str], config: Config) -> Server {
    let zones: Zones = zones.iter().map(|text| zone(text)).collect();
    let config = Config {
        rate_limit: None,
        transfers: vec!["192.0.2.53".parse().unwrap()],
        ..config
    };
    Server::new(zones, config)
}

pub(crate) fn udp(address: &str) -> Peer {
    Peer {
        address: address.parse::<IpAddr>().unwrap(),
        transport: Transport::Udp,
    }
}

pub(crate) fn tcp(address: &str) -> Peer {
    Peer {
        transport: Transport::Tcp,
        ..udp(address)
    }
}

/// A query from words: name, type, and perhaps `do`, `edns`, `rd` and `size=N`.
pub(crate) fn query(words: &str) -> Vec<u8> {
    let mut words = words.split_whitespace();
    let name: DomainName<Vec<u8>> = words.next().unwrap().parse().unwrap();
    let rtype: Rtype = words.next().unwrap().parse().unwrap();
    let (mut size, mut dnssec, mut edns, mut recursion) = (1232, false, false, false);
    for word in words {
        match word.split_once('=') {
            Some(("size", number)) => (edns, size) = (true, number.parse().unwrap()),
            _ if word == "do" => (edns, dnssec) = (true, true),
            _ if word == "edns" => edns = true,
            _ if word == "rd" => recursion = true,
            _ => panic!("{word}"),
        }
    }
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    builder.header_mut().set_rd(recursion);
    let mut builder = builder.question();
    builder.push((&name, rtype, Class::IN)).unwrap();
    let mut builder = builder.additional();
    if edns {
        builder
            .opt(|opt| {
                opt.set_udp_payload_size(size);
                opt.set_dnssec_ok(dnssec);
                Ok(())
            })
            .unwrap();
    }
    builder.finish()
}

/// The answer to a message, if there is one.
pub(crate) fn exchange(server: &mut Server, message: &[u8], from: Peer) -> Option<Vec<u8>> {
    let mut out = b"before".to_vec();
    match server.answer(message, from, NOW, &mut out) {
        Outcome::Reply => Some(out.split_off(6)),
        Outcome::Drop => {
            assert_eq!(out, b"before");
            None
        }
        Outcome::Transfer(_) => panic!("a transfer"),
    }
}

/// The answer to a query in words, as `show` has it. It is asked for twice: made, and kept.
pub(crate) fn ask(server: &mut Server, words: &str) -> String {
    ask_from(server, words, udp("192.0.2.1"))
}

pub(crate) fn ask_from(server: &mut Server, words: &str, from: Peer) -> String {
    let message = query(words);
    let first = exchange(server, &message, from).unwrap();
    let second = exchange(server, &message, from).unwrap();
    assert_eq!(first, second, "{words}: kept is not made");
    show(&first)
}

/// An answer: its code and flags, then each record of each section on a line. Owners and data are separated by one space.
pub(crate) fn show(message: &[u8]) -> String {
    let message = Message::from_octets(message).expect("a header");
    let header = message.header();
    assert!(header.qr() && !header.ra() && !header.z() && !header.ad());
    let mut text = format!("{}", message.opt_rcode());
    for (set, flag) in [
        (header.aa(), " aa"),
        (header.tc(), " tc"),
        (header.rd(), " rd"),
        (header.cd(), " cd"),
    ] {
        if set {
            text.push_str(flag);
        }
    }
    if let Some(opt) = message.opt() {
        let wanted = if opt.dnssec_ok() { "do" } else { "edns" };
        write!(text, " {wanted}={}", opt.udp_payload_size()).unwrap();
    }
    text.push('\n');
    let (_, answer, authority, additional) = message.sections().expect("sections");
    for (mark, section) in [("", answer), ("? ", authority), ("+ ", additional)] {
        for record in section {
            line(&mut text, mark, &record.expect("a record"));
        }
    }
    text
}

fn line(text: &mut String, mark: &str, record: &ParsedRecord<'_, &[u8]>) {
    if record.rtype() == Rtype::OPT {
        return;
    }
    assert_eq!(record.class(), Class::IN);
    let data = record.to_any_record::<AllRecordData<_, _>>().expect("data");
    let data = data.data().to_string();
    let owner = record.owner().to_string().to_lowercase();
    let dot = if owner == "." { "" } else { "." };
    writeln!(
        text,
        "{mark}{owner}{dot} {} {} {data}",
        record.ttl().as_secs(),
        record.rtype()
    )
    .unwrap();
}
