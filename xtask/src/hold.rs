//! Child processes that do not outlive us, not even when we are killed.
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

/// What such a child gets when the thread that spawned it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It may tidy up.
    Terminate,
    /// It ends at once.
    Kill,
}

/// A command that runs `program` and does not outlive us.
pub(crate) fn command(program: &Path, end: End) -> Command {
    let mut command = Command::new("/proc/self/exe");
    let word = match end {
        End::Terminate => "terminate",
        End::Kill => "kill",
    };
    command
        .arg(HOLD)
        .arg(std::process::id().to_string())
        .arg(word)
        .arg(program);
    command
}

/// The same command, held. What was said about its standard streams is not taken over.
pub(crate) fn held(plain: &Command) -> Command {
    let mut command = command(Path::new(plain.get_program()), End::Terminate);
    command.args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(folder) = plain.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// Becomes the program. `arguments` are those after [`HOLD`].
pub(crate) fn become_program(arguments: &[OsString]) -> Result<()> {
    let [parent, end, program, rest @ ..] = arguments else {
        bail!("{HOLD} is for our own use only")
    };
    let signal = if end == "kill" {
        Signal::KILL
    } else {
        Signal::TERM
    };
    set_parent_process_death_signal(Some(signal))
        .context("cannot ask for the parent's death signal")?;
    let parent: i32 = parent.to_string_lossy().parse().context("no process id")?;
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(parent) {
        bail!("the parent has gone");
    }
    let error = Command::new(program).args(rest).exec();
    Err(Error::new(error).context(format!("cannot start {}", Path::new(program).display())))
}
