//! An app as a Linux process.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Error, Result};

use super::answers;
use super::plan::Plan;
use crate::build;
use crate::workspace::Workspace;

/// Builds the app and becomes it.
pub(super) fn run(workspace: &Workspace, plan: &Plan<'_>) -> Result<i32> {
    let mut command = command(workspace, plan)?;
    for forward in &plan.forwards {
        eprintln!("{}", answers::announcement(*forward));
    }
    let error = command.exec();
    let program = command.get_program().display().to_string();
    Err(Error::new(error)).with_context(|| format!("cannot start {program}"))
}

/// The app's program, built, with its arguments.
fn command(workspace: &Workspace, plan: &Plan<'_>) -> Result<Command> {
    let mut command = Command::new(build::for_linux(workspace, plan.app)?);
    for forward in &plan.forwards {
        command.arg("--forward").arg(forward.to_string());
    }
    for disk in &plan.disks {
        command
            .arg("--disk")
            .arg(format!("{}={}", disk.name, disk.file.display()));
    }
    if let Some(file) = &plan.pcap {
        command.arg("--pcap").arg(file);
    }
    command.arg("--").args(plan.words.split_whitespace());
    Ok(command)
}
