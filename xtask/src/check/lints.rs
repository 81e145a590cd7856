//! rustfmt and clippy, with warnings as errors.

use anyhow::Result;

use super::packages::MACHINES;
use crate::build::{XEN_OPTIONS, rust_src};
use crate::machines::for_machines;
use crate::process;
use crate::workspace::{Workspace, cargo};

/// The formatting.
pub(super) fn format(workspace: &Workspace) -> Result<()> {
    process::judged(
        cargo()
            .current_dir(&workspace.root)
            .args(["fmt", "--all", "--", "--check"]),
    )?;
    process::judged(cargo().current_dir(&workspace.root).args([
        "fmt",
        "--manifest-path",
        MACHINES,
        "--",
        "--check",
    ]))
}

/// Everything, tests included, as it is built for the host.
pub(super) fn host(workspace: &Workspace) -> Result<()> {
    let mut command = cargo();
    command.current_dir(&workspace.root).args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    process::judged(&mut command)
}

/// The program with the foreign providers, without them: their crates take long to build, and libvirt's wants its library. Their own suites judge them.
pub(super) fn machines(workspace: &Workspace) -> Result<()> {
    let mut command = for_machines(workspace, "clippy", "none");
    command.args(["--quiet", "--all-targets", "--", "-D", "warnings"]);
    process::judged(&mut command)
}

/// The apps and the tests' guests with all that they use, as they are built for Xen.
pub(super) fn xen(workspace: &Workspace) -> Result<()> {
    rust_src()?;
    let mut command = cargo();
    command
        .current_dir(&workspace.root)
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["clippy", "--quiet"])
        .args(XEN_OPTIONS);
    for app in &workspace.apps {
        command.args(["-p", &app.name]);
    }
    command.args(["--", "-D", "warnings"]);
    process::judged(&mut command)
}
