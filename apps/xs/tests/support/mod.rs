//! A xenstored on a socket of its own, and the program run against it.

#![allow(dead_code)]

mod daemon;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) use daemon::Daemon;

/// A folder of its own with a xenstored in it; both go when the value is dropped.
pub(crate) struct Place {
    folder: PathBuf,
    _daemon: Daemon,
}

/// What a run of the program has left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) said: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = format!("xs-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let _daemon = Daemon::start(&folder.join("socket"));
        Self { folder, _daemon }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The program, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&self.file("socket"));
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs it with `input` on its standard input.
    pub(crate) fn run_with(&self, input: &[u8], arguments: &[&str]) -> Ran {
        let mut child = self.start(arguments);
        // It may have refused the arguments without looking at any input.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Runs it; it must succeed. What it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(
            (ran.status, &*ran.said),
            (Some(0), ""),
            "{arguments:?}: {ran:?}"
        );
        ran.out
    }

    /// Runs it; it must fail with that status and one line on standard error, which is returned.
    pub(crate) fn fails(&self, status: i32, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        assert_eq!(ran.said.lines().count(), 1, "{arguments:?}: {ran:?}");
        ran.said.trim_end().to_owned()
    }

    /// Starts it with pipes for its input and output.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// The program, for the daemon at `socket`.
pub(crate) fn program(socket: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xs"));
    command
        .env("XENSTORED_PATH", socket)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
