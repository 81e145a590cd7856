//! Episodes at the socket of a daemon that others use, too, and the comparison of what was written down.
//!
//! ```text
//! xenstore-peers record SOCKET SEED EPISODES              plays them to the daemon; prints a line a step
//! xenstore-peers store SEED EPISODES                      the same with our store, as in a dom0
//! xenstore-peers compare c|ocaml SEED EPISODES OURS THEIRS  compares two such records
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use morgana_xenstore_peers::{Answer, Cast, Comparison, Episode, Peer, at_socket, ours};

/// Steps of an episode.
const STEPS: usize = 200;

/// With so many requests every rule is needed.
const ENOUGH: u64 = 100_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["record", socket, seed, episodes] => record(Path::new(socket), seed, episodes),
        ["store", seed, episodes] => store(seed, episodes),
        ["compare", peer, seed, episodes, ours, theirs] => {
            compare(peer, seed, episodes, [ours, theirs])
        }
        _ => Err(
            "usage: record SOCKET SEED EPISODES | store SEED EPISODES | compare c|ocaml SEED EPISODES OURS THEIRS".into(),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xenstore-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The episodes; no daemon is asked what one of them cannot bear, since all are to be asked the same.
fn episodes(
    seed: &str,
    count: &str,
) -> Result<impl Iterator<Item = (u64, Episode)>, Box<dyn Error>> {
    let (first, count): (u64, u64) = (seed.parse()?, count.parse()?);
    let peers = [Peer::C, Peer::Ocaml];
    let make = move |seed| {
        (
            seed,
            Episode::new(seed, Cast::Programs, &peers, STEPS).in_dom0(),
        )
    };
    Ok((first..first.saturating_add(count)).map(make))
}

fn record(socket: &Path, seed: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for (seed, episode) in episodes(seed, count)? {
        let played = at_socket(socket, &episode)?;
        for answer in played.answers {
            writeln!(out, "{answer}")?;
        }
        played
            .end
            .map_err(|error| format!("seed {seed}: {error}"))?;
    }
    Ok(())
}

fn store(seed: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for (_, episode) in episodes(seed, count)? {
        for answer in ours(&episode)? {
            writeln!(out, "{answer}")?;
        }
    }
    Ok(())
}

fn compare(peer: &str, seed: &str, count: &str, records: [&str; 2]) -> Result<(), Box<dyn Error>> {
    let peer = match peer {
        "c" => Peer::C,
        "ocaml" => Peer::Ocaml,
        _ => return Err("the peer is c or ocaml".into()),
    };
    let [ours, theirs] = [
        fs::read_to_string(records[0])?,
        fs::read_to_string(records[1])?,
    ];
    let (mut ours, mut theirs) = (ours.lines(), theirs.lines());
    let mut comparison = Comparison::new(peer);
    for (seed, episode) in episodes(seed, count)? {
        let next = |lines: &mut std::str::Lines<'_>| -> Vec<Answer> {
            lines.take(episode.len()).map(Answer::parse).collect()
        };
        let (ours, theirs) = (next(&mut ours), next(&mut theirs));
        comparison.episode(seed, &episode, &ours, &theirs)?;
    }
    println!("{comparison}");
    match comparison.idle_rules(Cast::Programs).next() {
        Some(rule) if comparison.requests() >= ENOUGH => {
            Err(format!("the rule {rule} was never needed").into())
        }
        _ => Ok(()),
    }
}
