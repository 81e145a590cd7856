//! The corpus of the fuzz target, and random inputs.

use morgana_mutate::Corpus;
use morgana_net_device::SplitMix;
use morgana_net_stack::Stats;

use crate::check::check;

type Counter = fn(&Stats) -> u64;

#[test]
fn the_corpus_holds_and_reaches_everything() {
    let seen = Corpus::of("stack_frames").replay(check);
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
fn what_is_made_of_the_corpus_holds() {
    Corpus::of("stack_frames").mutate(1_000, check);
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
