//! Going on in the background.
//!
//! The program starts itself once more and waits until that one is ready to serve, so whoever started it may connect when it has returned.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use crate::arguments::{Fork, Output};

/// Set for the process that was started to be the daemon.
const MARK: &str = "MORGANA_XENSTORED_DAEMON";

/// What this process is.
pub(crate) enum Role {
    /// It starts the daemon, and ends.
    Starter,
    /// It is the daemon.
    Daemon(Ready),
}

/// To be told when the daemon serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ready {
    /// A starter waits for it at our standard output.
    Starter,
    /// Nobody of ours waits.
    Nobody,
}

pub(crate) fn role(fork: Fork) -> Role {
    match fork {
        Fork::Foreground => Role::Daemon(Ready::Nobody),
        Fork::Background if std::env::var_os(MARK).is_some() => Role::Daemon(Ready::Starter),
        Fork::Background => Role::Starter,
    }
}

/// Starts the daemon, and returns when it serves.
pub(crate) fn start_daemon(output: Output) -> Result<(), Box<dyn Error>> {
    let mut daemon = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(MARK, "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut word = Vec::new();
    if let Some(pipe) = &mut daemon.stdout {
        pipe.take(READY.len() as u64).read_to_end(&mut word)?;
    }
    if word == READY {
        if output == Output::ProcessId {
            println!("{}", daemon.id());
        }
        return Ok(());
    }
    let status = daemon.wait()?;
    Err(format!("the daemon has ended before it served: {status}").into())
}

const READY: &[u8] = b"ready\n";

impl Ready {
    /// Everybody may connect now: tells the starter and, where there is one, systemd; and lets go of the terminal.
    pub(crate) fn tell(self) -> io::Result<()> {
        if let Some(path) = std::env::var_os("NOTIFY_SOCKET") {
            // Where systemd does not listen any more, nobody wants to know. (Names that begin with @ are not files.)
            let _ = UnixDatagram::unbound()?.send_to(b"READY=1", path);
        }
        if self == Self::Nobody {
            return Ok(());
        }
        // Was not a leader: the starter is in the same group.
        let _ = rustix::process::setsid();
        io::stdout().write_all(READY)?;
        io::stdout().flush()?;
        let null = File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        Ok(())
    }
}
