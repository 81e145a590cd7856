//! Apps as Linux processes.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::answers;
use super::lines::Lines;
use super::plan::{Announce, Plan};
use super::tell::tell;
use crate::build;
use crate::hold::{self, End};
use crate::interrupt::Claim;
use crate::workspace::Workspace;

/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often to look whether one has.
const PAUSE: Duration = Duration::from_millis(50);

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

/// Builds the apps and runs them until the first of them ends or we are asked to end them; then the others are ended, too.
pub(super) fn run_all(
    workspace: &Workspace,
    plans: &[Plan<'_>],
    announce: &Announce,
) -> Result<i32> {
    let commands = plans
        .iter()
        .map(|plan| command(workspace, plan))
        .collect::<Result<Vec<_>>>()?;
    let claim = Claim::new();
    let mut children = Vec::new();
    for plain in &commands {
        let program = plain.get_program();
        let mut command = hold::command(program.as_ref(), End::Terminate);
        // Ctrl-C is for us, and we end them in order.
        command
            .args(plain.get_args())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let child = command.spawn();
        children.push(child.with_context(|| format!("cannot start {}", program.display()))?);
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (plan, child) in plans.iter().zip(&mut children) {
            let out = child.stdout.take();
            scope.spawn(move || out.map(|out| show(out, &plan.app.name)));
        }
        scope.spawn(|| tell(plans, announce, &over));
        let ended = attend(&claim, plans, &mut children);
        over.store(true, Ordering::SeqCst);
        ended
    })
}

/// Passes on what a program writes, each line behind its name.
fn show(mut out: impl Read, name: &str) -> io::Result<()> {
    let mut lines = Lines::new(io::stdout(), Some(name.to_owned()));
    let mut chunk = [0; 4096];
    loop {
        match out.read(&mut chunk)? {
            0 => return Ok(()),
            count => lines.write_all(&chunk[..count])?,
        }
    }
}

/// Waits until one of them ends, or a signal asks for it, and ends them all, the last one first.
fn attend(claim: &Claim, plans: &[Plan<'_>], children: &mut [Child]) -> Result<i32> {
    let mut first = None;
    while !claim.requested() && first.is_none() {
        std::thread::sleep(PAUSE);
        for (plan, child) in plans.iter().zip(children.iter_mut()) {
            if let Some(status) = child.try_wait().context("cannot wait for a program")? {
                first = Some((&plan.app.name, status));
            }
        }
    }
    for (plan, child) in plans.iter().zip(children).rev() {
        let status = end(child).with_context(|| format!("cannot end {}", plan.app.name))?;
        if let (None, false) = (first, status.success()) {
            first = Some((&plan.app.name, status));
        }
    }
    match first {
        Some((name, status)) if !status.success() => bail!("{name} ended with {status}"),
        _ => Ok(0),
    }
}

/// Asks a program to end, and ends it if it does not.
fn end(child: &mut Child) -> Result<ExitStatus> {
    let start = Instant::now();
    let mut asked = false;
    loop {
        if let Some(status) = child.try_wait()? {
            // One that was asked before it listened for that has ended as it was asked.
            let as_asked = asked && status.signal() == Some(Signal::TERM.as_raw());
            return Ok(if as_asked {
                ExitStatus::from_raw(0)
            } else {
                status
            });
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
        } else if !asked {
            let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            kill_process(id.context("no process id")?, Signal::TERM)?;
            asked = true;
        }
        std::thread::sleep(PAUSE);
    }
}
