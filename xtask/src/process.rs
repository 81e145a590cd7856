//! Running other programs, with errors that say what failed. They end when we do.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::hold;
use crate::progress::interactive;

/// Runs `command` with its output thrown away unless it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    output(command).map(|_| ())
}

/// Runs `command` and returns what it printed on its standard output.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn output(command: &mut Command) -> Result<Output> {
    let name = name(command);
    let output = hold::held(command)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}):\n{}", output.status, error.trim_end());
    }
    Ok(output)
}

/// Runs `command` with its output on ours.
pub(crate) fn loudly(command: &mut Command) -> Result<()> {
    let name = name(command);
    let status = hold::held(command)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// Runs `command`; whatever it prints, on either stream, is in the error if it fails.
pub(crate) fn judged(command: &mut Command) -> Result<()> {
    let name = name(command);
    let (mut said, end) = std::io::pipe().context("cannot make a pipe")?;
    let mut held = hold::held(command);
    held.stdin(Stdio::null());
    if interactive() {
        held.env("CARGO_TERM_COLOR", "always");
    }
    held.stderr(end.try_clone().context("cannot use a pipe twice")?)
        .stdout(end);
    let child = held.spawn();
    drop(held);
    let mut child = child.with_context(|| format!("cannot start {name}"))?;
    let mut text = Vec::new();
    said.read_to_end(&mut text)
        .with_context(|| format!("cannot read what {name} says"))?;
    let status = child.wait().with_context(|| format!("lost {name}"))?;
    if !status.success() {
        let text = String::from_utf8_lossy(&text);
        bail!("{name} failed ({status}):\n{}", text.trim_end());
    }
    Ok(())
}

/// The program's name and its first argument, for messages.
fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    match command.get_args().next() {
        Some(argument) => format!("{program} {}", argument.to_string_lossy()),
        None => program.into_owned(),
    }
}

/// Whether a program of this name is on the PATH.
pub(crate) fn on_path(program: &str) -> Option<std::path::PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
