//! The daemons on plain Linux, with Xen's served by a library in place of Xen: one program's requests, many programs that start and stop domains, and a large tree.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::super::{Record, Report, build_native};
use crate::build;
use crate::process;
use crate::testbed::xen_packages;
use crate::workspace::Workspace;

const BENCH: &str = "xenstore";
const PROGRAM: &str = "perf-xenstore";
/// How many times each daemon runs all of it, in turn.
const RUNS: usize = 3;

/// Whom we are compared with, and what the program calls them.
const PEERS: [(&str, &str); 2] = [("c-xenstored", "c"), ("oxenstored", "ocaml")];

/// A run of the program: its arguments, and what it prints: the first word of a line, the place of a figure in it, and our name for that.
struct Run {
    arguments: &'static [&'static str],
    figures: &'static [Figure],
}

/// The word, the place in the line, the name, and the unit.
type Figure = (&'static str, usize, &'static str, Unit);

/// What a figure counts.
#[derive(Clone, Copy)]
enum Unit {
    /// Seconds a turn, told as turns a second.
    Rate,
    /// Seconds.
    Time,
    /// Bytes.
    Bytes,
    /// Transactions that were tried again.
    Aborts,
}

use Unit::{Aborts, Bytes, Rate, Time};

const ALL: [Run; 6] = [
    Run {
        arguments: &["rows", "10000"],
        figures: &[
            ("read-1", 1, "native-read-1", Rate),
            ("read-1", 2, "native-read-1-cpu", Time),
            ("read-2000", 1, "native-read-2000", Rate),
            ("read-2000", 2, "native-read-2000-cpu", Time),
            ("write-1", 1, "native-write-1", Rate),
            ("write-1", 2, "native-write-1-cpu", Time),
            ("write-2000", 1, "native-write-2000", Rate),
            ("write-2000", 2, "native-write-2000-cpu", Time),
            ("directory", 1, "native-directory", Rate),
            ("directory", 2, "native-directory-cpu", Time),
            ("remove", 1, "native-remove", Rate),
            ("remove", 2, "native-remove-cpu", Time),
            ("transaction-empty", 1, "native-transaction-empty", Rate),
            ("transaction-empty", 2, "native-transaction-empty-cpu", Time),
            ("transaction", 1, "native-transaction", Rate),
            ("transaction", 2, "native-transaction-cpu", Time),
            ("watch", 1, "native-watch", Rate),
            ("watch", 2, "native-watch-cpu", Time),
        ],
    },
    Run {
        arguments: &["domains", "1", "200"],
        figures: &[
            ("time", 1, "native-domains-1", Time),
            ("cpu", 1, "native-domains-1-cpu", Time),
            ("aborts", 1, "native-domains-1-aborts", Aborts),
        ],
    },
    Run {
        arguments: &["domains", "10", "200"],
        figures: &[
            ("time", 1, "native-domains-10", Time),
            ("cpu", 1, "native-domains-10-cpu", Time),
            ("aborts", 1, "native-domains-10-aborts", Aborts),
        ],
    },
    Run {
        arguments: &["domains", "100", "200"],
        figures: &[
            ("time", 1, "native-domains-100", Time),
            ("cpu", 1, "native-domains-100-cpu", Time),
            ("aborts", 1, "native-domains-100-aborts", Aborts),
        ],
    },
    Run {
        arguments: &["domains", "200", "200"],
        figures: &[
            ("time", 1, "native-domains-200", Time),
            ("cpu", 1, "native-domains-200-cpu", Time),
            ("aborts", 1, "native-domains-200-aborts", Aborts),
        ],
    },
    Run {
        arguments: &["tree", "200", "600"],
        figures: &[
            ("memory", 1, "native-tree-memory", Bytes),
            ("walk", 1, "native-tree-walk", Time),
            ("walk-cpu", 1, "native-tree-walk-cpu", Time),
        ],
    },
];

/// What a daemon took, by figure.
type Taken = BTreeMap<&'static str, Vec<f64>>;

/// Runs all of it on all daemons.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let program = build_native(workspace, PROGRAM)?;
    let ours = build::program_for_linux(workspace, "xenstored")?;
    let ours = ours.to_str().context("a path that is no text")?;
    let packages = xen_packages()?;
    for run in &ALL {
        let mut us = Taken::new();
        let mut them = PEERS.map(|_| Taken::new());
        for _ in 0..RUNS {
            once(&program, &packages, ours, run, &mut us)?;
            for ((_, daemon), taken) in PEERS.iter().zip(&mut them) {
                once(&program, &packages, daemon, run, taken)?;
            }
        }
        for &(_, _, case, unit) in run.figures {
            for ((peer, _), them) in PEERS.iter().zip(&them) {
                let figures = |taken: &Taken| taken.get(case).cloned().unwrap_or_default();
                let (us, them) = (figures(&us), figures(them));
                let record = match unit {
                    Rate => Record::rates(BENCH, case, "1/s", &us, peer, &them),
                    Time => Record::times(BENCH, case, &us, peer, &them),
                    Bytes => Record::costs(BENCH, case, "bytes", &us, peer, &them),
                    Aborts => Record::counts(BENCH, case, "aborts", &us, peer, &them),
                };
                report(&record.context("nothing was measured")?)?;
            }
        }
    }
    Ok(())
}

/// One run of the program with one daemon.
fn once(program: &Path, packages: &Path, daemon: &str, run: &Run, taken: &mut Taken) -> Result<()> {
    let mut command = Command::new(program);
    command
        .env("MORGANA_XEN_PACKAGES", packages)
        .arg(daemon)
        .args(run.arguments);
    let told = process::stdout(&mut command)?;
    for &(word, place, case, unit) in run.figures {
        let line = told
            .lines()
            .find(|line| line.split(' ').next() == Some(word));
        let figure = line.and_then(|line| line.split(' ').nth(place));
        let figure: f64 = figure
            .and_then(|text| text.parse().ok())
            .with_context(|| format!("no {word} in {told}"))?;
        let figure = match unit {
            Rate => figure.recip(),
            _ => figure,
        };
        taken.entry(case).or_default().push(figure);
    }
    Ok(())
}
