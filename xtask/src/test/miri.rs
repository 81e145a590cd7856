//! The unit tests of what everything else stands on, run by Miri: it finds undefined behaviour.

use std::process::Command;

use anyhow::{Context, Result};

use super::Tally;
use super::counted::cargo_test;
use crate::process;
use crate::workspace::Workspace;

/// The compiler that Miri comes with: Miri is a part of nightly compilers only. This one has 1.97.0.
const NIGHTLY: &str = "nightly-2026-05-20";
const PACKAGES: [&str; 3] = ["morgana-hal", "morgana-ring", "morgana-exec"];
const FLAGS: [&str; 4] = [
    "-Zmiri-strict-provenance",
    "-Zmiri-env-forward=PROPTEST_CASES",
    "-Zmiri-env-forward=PROPTEST_DISABLE_FAILURE_PERSISTENCE",
    // Shared memory is copied in pieces of several sizes, at which this Miri's stores of the past end it (rust-lang/miri#5185). What may be
    // seen in which order is loom's part.
    "-Zmiri-disable-weak-memory-emulation",
];
/// How many cases a property is tried with: Miri is some hundred times slower than a processor.
const CASES: &str = "3";

/// Who wants the tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// The user, by the suite's name: it fails if there is no such compiler.
    ByName,
    /// Whoever runs all that this machine can run.
    WithAll,
}

/// Runs them; each counts.
pub(super) fn suite(workspace: &Workspace, wanted: Wanted, tally: &mut Tally) {
    match install() {
        Err(why) if wanted == Wanted::WithAll => return tally.skip("miri", &format!("{why:#}")),
        Err(why) => return tally.test("miri", || Err(why)),
        Ok(()) => {}
    }
    if let Err(error) = run(workspace, tally) {
        tally.test("miri", || Err(error));
    }
}

fn run(workspace: &Workspace, tally: &mut Tally) -> Result<()> {
    let mut command = miri();
    command
        .current_dir(&workspace.root)
        .env("MIRIFLAGS", FLAGS.join(" "))
        .env("PROPTEST_CASES", CASES)
        // Miri keeps a program from the file system, where a failure would be noted.
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .args(["test", "--lib", "--no-fail-fast", "--target-dir"])
        .arg(workspace.target.join("miri"));
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    cargo_test(&mut command, tally)
}

fn miri() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", NIGHTLY, "cargo", "miri"]);
    command
}

/// Adds the compiler with Miri, if it is missing.
fn install() -> Result<()> {
    if process::quietly(miri().arg("--version")).is_ok() {
        return Ok(());
    }
    let arguments = format!(
        "toolchain install {NIGHTLY} --profile minimal --component miri --component rust-src --no-self-update"
    );
    eprintln!("adding a compiler with Miri (rustup {arguments})");
    process::loudly(Command::new("rustup").args(arguments.split(' '))).with_context(|| {
        format!(
            "Miri is missing, and rustup could not fetch it from static.rust-lang.org: \
             add it with `rustup {arguments}` where there is a network"
        )
    })
}
