//! `cargo xtask run`: an app, built and running.

mod answers;
mod linux;
mod ports;
mod xen;

use anyhow::Result;

use crate::cli::{Run, Target};
use crate::workspace::Workspace;

pub(crate) use xen::{ADDRESS, ADDRESS_WORDS};

/// Runs the app; returns the status to exit with.
pub(crate) fn run(arguments: &Run) -> Result<i32> {
    let workspace = Workspace::load()?;
    let app = workspace.app(&arguments.app)?;
    let forwards = ports::choose(&arguments.forward, app)?;
    match arguments.on {
        Target::Xen => xen::run(&workspace, app, &forwards),
        Target::Linux => linux::run(&workspace, app, &forwards),
    }
}
