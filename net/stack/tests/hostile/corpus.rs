//! The corpus of the fuzz target, and random inputs.

use std::fs;
use std::path::Path;

use morgana_net_device::SplitMix;
use morgana_net_stack::Stats;

use crate::check::check;

type Counter = fn(&Stats) -> u64;

#[test]
fn the_corpus_holds_and_reaches_everything() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/stack_frames");
    let seen: Vec<Stats> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| check(&fs::read(entry.unwrap().path()).unwrap()))
        .collect();
    let counters: [(&str, Counter); 11] = [
        ("accepted", |s| s.tcp_accepted),
        ("connected", |s| s.tcp_connected),
        ("reset", |s| s.tcp_resets),
        ("given up", |s| s.tcp_timeouts),
        ("parked", |s| s.tcp_parked),
        ("revived", |s| s.tcp_revived),
        ("cookies sent", |s| s.tcp_cookies_sent),
        ("strays", |s| s.tcp_strays),
        ("datagrams sent", |s| s.udp_sent),
        ("malformed", |s| s.malformed),
        ("bad checksums", |s| s.bad_checksums),
    ];
    for (what, counter) in counters {
        assert!(seen.iter().any(|stats| counter(stats) > 0), "{what}");
    }
}

#[test]
fn random_scripts_hold() {
    let mut random = SplitMix::new(1);
    for _ in 0..400 {
        let len = random.below(400);
        let input: Vec<u8> = (0..len).map(|_| random.next_u64() as u8).collect();
        check(&input);
    }
}
