//! A program that runs.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process, which ends when this is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// The process itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have children, which it ends only when it is asked to end.
        let process = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let (Ok(None), Some(process)) = (self.0.try_wait(), process) {
            let _ = kill_process(process, Signal::TERM);
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
