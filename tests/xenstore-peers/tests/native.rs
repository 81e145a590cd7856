//! Xen's own daemons and our store on plain Linux, asked the same.

use morgana_xenstore_peers::{
    Cast, Comparison, Daemon, Episode, Packages, Peer, Program, ours, started,
};

/// Steps of an episode.
const STEPS: usize = 200;

/// Requests that are compared, if the environment names no other number.
const REQUESTS: u64 = 5_000;

/// With so many, every rule is needed.
const ENOUGH: u64 = 100_000;

/// A number that the environment names.
fn asked(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Compares episodes until there are enough requests. `MORGANA_SEED` is the first seed, and `MORGANA_REQUESTS` says how many requests are enough.
fn compare(peer: Peer, cast: Cast) {
    let Some(packages) = Packages::from_environment().unwrap() else {
        println!("skipped: {} names no folder", Packages::VARIABLE);
        return;
    };
    let program = match peer {
        Peer::C => Program::C(&packages),
        Peer::Ocaml => Program::Ocaml(&packages),
    };
    let (first, requests) = (
        asked("MORGANA_SEED", 0),
        asked("MORGANA_REQUESTS", REQUESTS),
    );
    let mut comparison = Comparison::new(peer);
    let (mut seed, mut crashes) = (first, 0);
    while comparison.requests() < requests {
        let episode = Episode::new(seed, cast, &[peer], STEPS);
        let mut daemon = Daemon::start(program).unwrap();
        let played = started(&daemon, &episode).unwrap();
        if let Err(error) = &played.end {
            let ended = daemon.ended();
            assert!(ended.is_some(), "{peer:?}, seed {seed}: {error}");
            let is_known = peer == Peer::C && episode.loses_a_target(&played.answers);
            assert!(
                is_known,
                "{peer:?}, seed {seed}: ended by itself: {ended:?}, {error}"
            );
            println!("{peer:?}, seed {seed}: ended by itself: {ended:?}");
            crashes += 1;
        }
        let compared =
            comparison.episode(seed, &episode, &ours(&episode).unwrap(), &played.answers);
        compared.unwrap_or_else(|difference| panic!("{difference}"));
        seed += 1;
    }
    println!("seeds {first} to {seed}, {crashes} crashes, {comparison}");
    let idle: Vec<&str> = comparison.idle_rules(cast).collect();
    assert!(
        idle.is_empty() || requests < ENOUGH,
        "rules that were never needed: {idle:?}"
    );
}

#[test]
fn xenstored_in_c_answers_programs_and_domains_the_same() {
    compare(Peer::C, Cast::Domains);
}

#[test]
fn xenstored_in_ocaml_answers_programs_the_same() {
    compare(Peer::Ocaml, Cast::Programs);
}
