//! An app as a Linux process.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Error, Result};

use super::answers;
use crate::build;
use crate::cli::PortPair;
use crate::workspace::{App, Workspace};

/// Builds the app and becomes it.
pub(super) fn run(workspace: &Workspace, app: &App, forwards: &[PortPair]) -> Result<i32> {
    let program = build::for_linux(workspace, app)?;
    let mut command = Command::new(&program);
    for forward in forwards {
        command.arg("--forward").arg(forward.to_string());
        eprintln!("{}", answers::announcement(*forward));
    }
    let error = command.exec();
    Err(Error::new(error)).with_context(|| format!("cannot start {}", program.display()))
}
