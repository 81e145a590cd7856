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
/// Whom we are compared with, and what the program calls them.
const PEERS: [(&str, &str); 2] = [("c-xenstored", "c"), ("oxenstored", "ocaml")];

/// A run of the program: its arguments, how many times each daemon has it, in turn, and the figures that it prints.
struct Run {
    arguments: &'static [&'static str],
    times: usize,
    /// What all its cases begin with.
    name: &'static str,
    figures: &'static [Figure],
}

/// The first word of a line, the place in the line, the rest of the case's name, and the unit.
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

const ALL: [Run; 7] = [
    rows(&["rows", "1", "4000"], "native"),
    rows(&["rows", "8", "500"], "native-8"),
    domains(&["domains", "1", "200"], "native-domains-1"),
    domains(&["domains", "10", "200"], "native-domains-10"),
    domains(&["domains", "100", "200"], "native-domains-100"),
    domains(&["domains", "200", "200"], "native-domains-200"),
    // It takes C xenstored minutes.
    Run {
        arguments: &["tree", "200", "600"],
        times: 1,
        name: "native-tree",
        figures: &[
            ("memory", 1, "-memory", Bytes),
            ("walk", 1, "-walk", Time),
            ("walk-cpu", 1, "-walk-cpu", Time),
            ("update", 1, "-update", Time),
        ],
    },
];

/// Nine short runs and not a long one: the machine is faster now and slower then.
const fn rows(arguments: &'static [&'static str], name: &'static str) -> Run {
    Run {
        arguments,
        times: 9,
        name,
        figures: &ROWS,
    }
}

const fn domains(arguments: &'static [&'static str], name: &'static str) -> Run {
    Run {
        arguments,
        times: 3,
        name,
        figures: &DOMAINS,
    }
}

/// What one program, or several at once, ask for one after the other.
const ROWS: [Figure; 18] = [
    ("read-1", 1, "-read-1", Rate),
    ("read-1", 2, "-read-1-cpu", Time),
    ("read-2000", 1, "-read-2000", Rate),
    ("read-2000", 2, "-read-2000-cpu", Time),
    ("write-1", 1, "-write-1", Rate),
    ("write-1", 2, "-write-1-cpu", Time),
    ("write-2000", 1, "-write-2000", Rate),
    ("write-2000", 2, "-write-2000-cpu", Time),
    ("directory", 1, "-directory", Rate),
    ("directory", 2, "-directory-cpu", Time),
    ("remove", 1, "-remove", Rate),
    ("remove", 2, "-remove-cpu", Time),
    ("transaction-empty", 1, "-transaction-empty", Rate),
    ("transaction-empty", 2, "-transaction-empty-cpu", Time),
    ("transaction", 1, "-transaction", Rate),
    ("transaction", 2, "-transaction-cpu", Time),
    ("watch", 1, "-watch", Rate),
    ("watch", 2, "-watch-cpu", Time),
];

/// Sequences of a domain's start and stop, so many at once.
const DOMAINS: [Figure; 3] = [
    ("time", 1, "", Time),
    ("cpu", 1, "-cpu", Time),
    ("aborts", 1, "-aborts", Aborts),
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
        for _ in 0..run.times {
            once(&program, &packages, ours, run, &mut us)?;
            for ((_, daemon), taken) in PEERS.iter().zip(&mut them) {
                once(&program, &packages, daemon, run, taken)?;
            }
        }
        for &(_, _, name, unit) in run.figures {
            let case = &format!("{}{name}", run.name);
            for ((peer, _), them) in PEERS.iter().zip(&them) {
                let figures = |taken: &Taken| taken.get(name).cloned().unwrap_or_default();
                let (us, them) = (figures(&us), figures(them));
                if them.is_empty() {
                    // oxenstored has no live update here.
                    continue;
                }
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
        // A memory file system for what the daemons keep, such as /run is.
        .env("TMPDIR", "/dev/shm")
        .arg(daemon)
        .args(run.arguments);
    let told = process::stdout(&mut command)?;
    for &(word, place, name, unit) in run.figures {
        let mut lines = told.lines();
        let Some(line) = lines.find(|line| line.split(' ').next() == Some(word)) else {
            continue;
        };
        let figure: f64 = line
            .split(' ')
            .nth(place)
            .and_then(|text| text.parse().ok())
            .with_context(|| format!("no figure in {line:?}"))?;
        let figure = match unit {
            Rate => figure.recip(),
            _ => figure,
        };
        taken.entry(name).or_default().push(figure);
    }
    Ok(())
}
