//! A zone file: whatever it has, it becomes a zone that can be asked and transferred, or is refused with a line of it; in steps as at once.

use domain::base::Message;
use morgana_dns::{Config, Name, Outcome, Peer, Server, Transport, Zone, ZoneParser, Zones};
use morgana_hal::WallTime;

/// True if it is a zone.
pub(crate) fn check(text: &[u8]) -> bool {
    let origin = Name::parse(b"example.", None).expect("a name");
    let at_once = Zone::parse(Some(&origin), "file", text);
    let mut parser = ZoneParser::new(Some(&origin), "file", text);
    let in_steps = loop {
        match parser.step(1) {
            Ok(None) => {}
            Ok(Some(zone)) => break Ok(zone),
            Err(error) => break Err(error),
        }
    };
    let lines = text.split(|octet| *octet == b'\n').count();
    match (at_once, in_steps) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one.record_count(), other.record_count());
            transfer(one);
            true
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            assert!(one.line as usize <= lines);
            assert!(!one.to_string().is_empty());
            false
        }
        (one, other) => panic!("{one:?} at once, {other:?} in steps"),
    }
}

/// Every record comes out once, and the SOA once more.
fn transfer(zone: Zone) {
    let expected = zone.record_count() + 1;
    let config = Config {
        transfers: vec!["::/0".parse().expect("a network")],
        ..Config::default()
    };
    let mut server = Server::new([zone].into_iter().collect::<Zones>(), config);
    let query = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x07example\0\0\xfc\0\x01";
    let peer = Peer {
        address: "::1".parse().expect("an address"),
        transport: Transport::Tcp,
    };
    let mut out = Vec::new();
    let now = WallTime::from_unix_nanos(0);
    let Outcome::Transfer(mut transfer) = server.answer(query, peer, now, &mut out) else {
        panic!("no transfer");
    };
    let mut count = 0usize;
    while transfer.next(&mut out) {
        let message = Message::from_octets(out.as_slice()).expect("a header");
        for record in message.answer().expect("an answer") {
            record.expect("a record");
            count += 1;
        }
        out.clear();
    }
    assert_eq!(count, expected);
}
