//! The program answers at its socket as the store does: the same replies in the order of the requests, and the same events.

use std::path::Path;

use morgana_xenstore_peers::{Cast, Daemon, Episode, Program, started, without_domains};

/// Steps of an episode.
const STEPS: usize = 200;

#[test]
fn random_requests_are_answered_as_the_store_answers_them() {
    let program = Program::Ours(Path::new(env!("CARGO_BIN_EXE_xenstored")));
    for seed in 0..20 {
        let daemon = Daemon::start(program).unwrap();
        let episode = Episode::new(seed, Cast::Programs, &[], STEPS);
        let played = started(&daemon, &episode).unwrap();
        played.end.unwrap();
        let wanted = without_domains(&episode).unwrap();
        for (step, (wanted, is)) in wanted.iter().zip(&played.answers).enumerate() {
            assert_eq!(
                is.to_string(),
                wanted.to_string(),
                "seed {seed}, step {step}"
            );
        }
    }
}
