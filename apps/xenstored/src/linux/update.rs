//! Live update: another program takes this one's place in the process, and goes on with all that there is.

use core::convert::Infallible;
use core::time::Duration;
use std::env;
use std::fs::{File, metadata};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;

use morgana_exec::{Timers, yield_now};
use morgana_hal::Clock;
use morgana_linux::LinuxClock;
use morgana_xenstored::{HandOver, Rings, Server, UpdateRequest};
use rustix::fs::{MemfdFlags, memfd_create};

use super::journal::JOURNAL;
use super::machine::Machine;
use super::sockets::{OnExec, Sockets, on_exec};
use super::takeover::STATE;

/// How long the other program may take to say what it is, and whether it can read the state.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it has said so.
const LOOK: Duration = Duration::from_millis(2);
/// What a program says of itself in its help that can take over.
const MARK: &str = "--check-state";

/// Any bit that lets somebody run a file.
const EXECUTABLE: u32 = 0o111;

/// Whether a file could be the other program at all. (The words are those of Xen's C daemon.)
pub(crate) fn check_file(program: &str) -> Result<(), &'static str> {
    match metadata(program) {
        Err(_) => Err("File not accessible."),
        Ok(file) if !file.is_file() || file.permissions().mode() & EXECUTABLE == 0 => {
            Err("File not executable.")
        }
        Ok(_) => Ok(()),
    }
}

/// What this process hands over.
pub(crate) struct Update<R: Rings> {
    pub(crate) server: Server<R>,
    pub(crate) machine: Rc<dyn Machine>,
    pub(crate) sockets: Rc<Sockets>,
    pub(crate) left: HandOver,
    pub(crate) timers: Timers,
    pub(crate) journal: Option<PathBuf>,
}

impl<R: Rings> Update<R> {
    /// Does what is asked for, as long as it fails.
    pub(crate) async fn follow(self) -> Infallible {
        loop {
            let request = self.server.update_request().await;
            let Err(why) = self.update(&request).await;
            log::warn!("no live update to {}: {why}", request.program);
            self.server.refuse_update(&request, &why);
        }
    }

    /// Does not return if it went well.
    async fn update(&self, request: &UpdateRequest) -> Result<Infallible, String> {
        let mut help = Command::new(&request.program);
        let help = self.ask(help.arg("--help").stdin(Stdio::null())).await?;
        if !help.said.contains(MARK) {
            return Err("The program is no xenstored that could take over.".into());
        }
        let arguments = arguments(request);
        let state = self.state(request)?;
        let mut check = Command::new(&request.program);
        check.args(&arguments).arg(MARK).stdin(state);
        let checked = self.ask(&mut check).await?;
        if !checked.status.success() {
            let said = checked.said.lines().next().unwrap_or("it does not say why");
            return Err(format!("The program could not take over: {said}"));
        }
        while !self.server.is_settled() {
            yield_now().await;
        }
        log::info!("live update to {}", request.program);
        // From here on nobody is served until the other program does.
        let begun = LinuxClock.now();
        let state = self.state(request)?;
        let taken = LinuxClock.now().since(begun);
        log::debug!("the state was written in {} us", taken.as_micros());
        let error = self.exec(request, &arguments, &state);
        Err(format!("Error activating new binary: {error}"))
    }

    /// The state, in memory.
    fn state(&self, request: &UpdateRequest) -> Result<File, String> {
        let stream = self.server.export(&self.left, request);
        let stream = stream.map_err(|error| format!("Dump write error: {error}"))?;
        in_memory(&stream).map_err(|error| format!("Dump state open error: {error}"))
    }

    /// Starts the other program in this one's place. Returns why it could not.
    fn exec(&self, request: &UpdateRequest, arguments: &[String], state: &File) -> io::Error {
        if let Err(error) = self.on_exec(state, OnExec::Kept) {
            let _ = self.on_exec(state, OnExec::Closed);
            return error;
        }
        self.machine.let_go();
        let mut command = Command::new(&request.program);
        command.args(arguments).arg("--live-update");
        command.env(STATE, super::sockets::number(state).0.to_string());
        match &self.journal {
            Some(path) => command.env(JOURNAL, path),
            None => command.env_remove(JOURNAL),
        };
        let error = command.exec();
        self.machine.take_back();
        // They were set a moment ago.
        let _ = self.on_exec(state, OnExec::Closed);
        error
    }

    fn on_exec(&self, state: &File, fate: OnExec) -> io::Result<()> {
        self.sockets.on_exec(fate)?;
        self.machine.on_exec(fate)?;
        on_exec(state.as_fd(), fate)
    }

    /// Runs a program that is to end soon. Others are served meanwhile.
    async fn ask(&self, command: &mut Command) -> Result<Answer, String> {
        let failed = |error: io::Error| format!("The program cannot be run: {error}");
        // Not a pipe, which would have to be emptied while the program runs.
        let mut said = in_memory(&[]).map_err(failed)?;
        command.stdout(said.try_clone().map_err(failed)?);
        command.stderr(said.try_clone().map_err(failed)?);
        let mut child = command.spawn().map_err(failed)?;
        let status = self.ended(&mut child).await.map_err(failed)?;
        let mut text = Vec::new();
        said.rewind().map_err(failed)?;
        said.take(SAID).read_to_end(&mut text).map_err(failed)?;
        Ok(Answer {
            status,
            said: String::from_utf8_lossy(&text).into_owned(),
        })
    }

    async fn ended(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let begun = LinuxClock.now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if LinuxClock.now().since(begun) > PATIENCE {
                child.kill()?;
                child.wait()?;
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.timers.sleep(LOOK).await;
        }
    }
}

/// What a program has said.
struct Answer {
    status: ExitStatus,
    said: String,
}

/// How much of it is looked at, in bytes.
const SAID: u64 = 64 << 10;

/// The arguments of the other program.
fn arguments(request: &UpdateRequest) -> Vec<String> {
    let own = || env::args().skip(1).collect();
    let given = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut words: Vec<String> = request.command_line.as_deref().map_or_else(own, given);
    words.retain(|word| !["-U", "--live-update", MARK].contains(&word.as_str()));
    words
}

/// A file in memory that has these bytes, to be read from the beginning.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("xenstored state", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}
