//! How long an answer takes, how long a zone takes to be read, and what it takes of memory:
//! `cargo run --profile native -p morgana-dns --example speed`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use morgana_dns::{Config, Peer, Server, Transport, ZoneParser, Zones};
use morgana_hal::WallTime;

/// How many records are read in one step, as `apps/dns` does.
const RECORDS_A_STEP: usize = 512;
const QUERIES: usize = 400_000;

fn main() {
    for names in [1_000, 100_000] {
        let text = text(names);
        let mut parser = ZoneParser::new(None, "example", text.as_bytes());
        let start = Instant::now();
        let mut longest = Duration::ZERO;
        let zone = loop {
            let step = Instant::now();
            let zone = parser.step(RECORDS_A_STEP).expect("a zone");
            longest = longest.max(step.elapsed());
            if let Some(zone) = zone {
                break zone;
            }
        };
        println!(
            "{names} names: read in {:?}, the longest step {longest:?}; {} bytes of text became {}",
            start.elapsed(),
            text.len(),
            zone.memory()
        );
        let zones: Zones = [zone].into_iter().collect();
        for (what, memo_answers) in [("kept", 1 << 18), ("made", 0)] {
            let config = Config {
                memo_answers,
                memo_octets: 64 << 20,
                rate_limit: None,
                ..Config::default()
            };
            ask(names, what, &mut Server::new(zones.clone(), config));
        }
    }
}

fn text(names: usize) -> String {
    let mut text = "example. 3600 SOA ns.example. h.example. 1 7200 3600 1209600 300\n 3600 NS ns.example.\nns.example. 3600 A 192.0.2.1\n".to_owned();
    for name in 0..names {
        text.push_str(&format!(
            "host-{name}.example. 3600 A 10.0.{}.{}\n",
            name >> 8 & 255,
            name & 255
        ));
    }
    text
}

/// Asks for every name in turn.
fn ask(names: usize, what: &str, server: &mut Server) {
    let peer = Peer {
        address: "192.0.2.1".parse().expect("an address"),
        transport: Transport::Udp,
    };
    let queries: Vec<Vec<u8>> = (0..names)
        .map(|name| {
            let label = format!("host-{name}");
            let mut query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\x01".to_vec();
            query.push(label.len() as u8);
            query.extend_from_slice(label.as_bytes());
            query.extend_from_slice(b"\x07example\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0");
            query
        })
        .collect();
    let mut out = Vec::new();
    let mut start = Instant::now();
    for round in 0..2 {
        start = Instant::now();
        let count = if round == 0 { names } else { QUERIES };
        for query in queries.iter().cycle().take(count) {
            out.clear();
            let now = WallTime::from_unix_nanos(0);
            black_box(server.answer(query, peer, now, &mut out));
        }
    }
    println!(
        "{names} names, answers {what}: {} ns each",
        start.elapsed().as_nanos() / QUERIES as u128
    );
}
