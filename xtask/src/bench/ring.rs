//! How many requests a second go through a ring and come back. The peer is a C program made of the macros of Xen's io/ring.h.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{NATIVE, Record, Report, build_native};
use crate::process;
use crate::testbed::xen_headers;
use crate::workspace::Workspace;

const BENCH: &str = "ring";
const PACKAGE: &str = "perf-ring";
const PEER: &str = "xen-ring-h";
/// How many times each side runs.
const RUNS: usize = 5;
/// How many requests make a run with one thread, and with two, which wait for each other.
const OPERATIONS: [&str; 2] = ["2000000", "400000"];

/// A case: its name, and what both programs are told.
const CASES: [(&str, [&str; 3]); 12] = [
    ("one-thread-net-1", ["one", "net", "1"]),
    ("one-thread-net-8", ["one", "net", "8"]),
    ("one-thread-net-32", ["one", "net", "32"]),
    ("one-thread-block-1", ["one", "block", "1"]),
    ("one-thread-block-8", ["one", "block", "8"]),
    ("one-thread-block-32", ["one", "block", "32"]),
    ("two-threads-net-1", ["two", "net", "1"]),
    ("two-threads-net-8", ["two", "net", "8"]),
    ("two-threads-net-32", ["two", "net", "32"]),
    ("two-threads-block-1", ["two", "block", "1"]),
    ("two-threads-block-8", ["two", "block", "8"]),
    ("two-threads-block-32", ["two", "block", "32"]),
];

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let (ours, peer) = (build_native(workspace, PACKAGE)?, build_peer(workspace)?);
    for (case, arguments) in CASES {
        let (mut us, mut them) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            us.push(rate(&ours, arguments)?);
            them.push(rate(&peer, arguments)?);
        }
        let record = Record::rates(BENCH, case, "1/s", &us, PEER, &them);
        report(&record.context("nothing was measured")?)?;
    }
    Ok(())
}

fn build_peer(workspace: &Workspace) -> Result<PathBuf> {
    let program = workspace.target.join(NATIVE).join("ring-peer");
    let mut command = Command::new("cc");
    command
        .args(["-O2", "-Wall", "-Wextra", "-pthread", "-o"])
        .arg(&program)
        .arg(workspace.root.join("tests/perf/ring/src/peer.c"));
    if let Some(folder) = xen_headers()? {
        command.env("CPATH", folder);
    }
    process::quietly(&mut command)?;
    Ok(program)
}

/// Runs a program once; it prints operations a second.
fn rate(program: &Path, arguments: [&str; 3]) -> Result<f64> {
    let operations = OPERATIONS[usize::from(arguments[0] == "two")];
    let told = process::stdout(Command::new(program).args(arguments).arg(operations))?;
    told.trim()
        .parse()
        .with_context(|| format!("{} says {told}", program.display()))
}
