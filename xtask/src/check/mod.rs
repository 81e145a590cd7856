//! `cargo xtask check`: what can be judged without running anything.

mod advisories;
mod layers;
mod licences;
mod links;
mod lints;
pub(crate) mod packages;
mod unsafety;

use anyhow::Result;

use crate::test::Tally;
use crate::workspace::Workspace;

/// Runs all checks; returns 1 if one failed.
pub(crate) fn run() -> Result<i32> {
    let workspace = Workspace::load()?;
    let mut tally = Tally::default();
    suite(&workspace, &mut tally);
    tally.finish();
    Ok(i32::from(tally.failed() > 0))
}

/// The checks, each as a test; the quick ones first.
pub(crate) fn suite(workspace: &Workspace, tally: &mut Tally) {
    tally.test("check/layers", || layers::check(workspace));
    tally.test("check/unsafe", || unsafety::check(workspace));
    tally.test("check/links", || links::check(workspace));
    tally.test("check/licences", || licences::check(workspace));
    tally.test("check/format", || lints::format(workspace));
    tally.test("check/clippy", || lints::host(workspace));
    tally.test("check/clippy-machines", || lints::machines(workspace));
    tally.test("check/clippy-xen", || lints::xen(workspace));
    match advisories::tool() {
        Some(tool) => tally.test("check/advisories", || advisories::check(workspace, tool)),
        None => tally.skip(
            "check/advisories",
            "neither cargo-deny nor cargo-audit is installed",
        ),
    }
}
