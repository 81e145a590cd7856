//! The models of the wake path: the model checker loom runs its threads in all orders.

use super::Tally;
use super::counted::cargo_test;
use crate::workspace::{Workspace, cargo};

/// The packages that have a module `models` in their tests.
const PACKAGES: [&str; 2] = ["morgana-exec", "morgana-emul"];

/// Runs them; each counts.
pub(super) fn suite(workspace: &Workspace, tally: &mut Tally) {
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        // With `cfg(loom)` these packages share their atomics with the model checker. It is the tests' alone, so it has a folder of its own.
        .env("RUSTFLAGS", "--cfg loom")
        .args(["test", "--lib", "--no-fail-fast", "--target-dir"])
        .arg(workspace.target.join("loom"));
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    command.arg("models::");
    if let Err(error) = cargo_test(&mut command, tally) {
        tally.test("loom", || Err(error));
    }
}
