//! A child process that cannot outlive us, not even when we are killed.
//!
//! The kernel's "parent death signal" must be asked for by the child itself. So we start ourselves, ask, and then become
//! the program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Error, Result, bail};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The first argument that makes us such a child.
pub(crate) const HOLD: &str = "hold-for-parent";

/// A command that runs `program` and is killed when the thread that spawned it ends.
pub(crate) fn command(program: &Path) -> Result<Command> {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(HOLD)
        .arg(std::process::id().to_string())
        .arg(program);
    Ok(command)
}

/// Becomes the program. `arguments` are those after [`HOLD`].
pub(crate) fn become_program(arguments: &[OsString]) -> Result<()> {
    let [parent, program, rest @ ..] = arguments else {
        bail!("{HOLD} is for our own use only")
    };
    set_parent_process_death_signal(Some(Signal::KILL))
        .context("cannot ask for the parent's death signal")?;
    let parent: i32 = parent.to_string_lossy().parse().context("no process id")?;
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(parent) {
        bail!("the parent has gone");
    }
    let error = Command::new(program).args(rest).exec();
    Err(Error::new(error).context(format!("cannot start {}", Path::new(program).display())))
}
