//! Going on in the background.
//!
//! The program starts itself once more and waits until that one is ready to serve, so whoever started it may connect when it has returned.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

/// Set for the process that was started to be the daemon.
const MARK: &str = "MORGANA_DAEMON";

/// What this process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It starts the daemon, and ends.
    Starter,
    /// It is the daemon.
    Daemon(Ready),
}

/// To be told when the daemon serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ready {
    /// A starter waits for it at our standard output.
    Starter,
    /// Nobody of ours waits.
    Nobody,
}

/// What this process is, of a program that is to go on in the background. (In the foreground it is a daemon for whom nobody waits.)
pub fn role_in_background() -> Role {
    match std::env::var_os(MARK) {
        Some(_) => Role::Daemon(Ready::Starter),
        None => Role::Starter,
    }
}

/// Starts the daemon, and returns its process id when it serves.
///
/// # Errors
///
/// That it cannot be started, or that it has ended before it served.
pub fn start_daemon() -> Result<u32, Box<dyn Error>> {
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
        return Ok(daemon.id());
    }
    let status = daemon.wait()?;
    Err(format!("the daemon has ended before it served: {status}").into())
}

const READY: &[u8] = b"ready\n";

impl Ready {
    /// Everybody may connect now: tells the starter and, where there is one, systemd; and lets go of the terminal.
    ///
    /// # Errors
    ///
    /// Those of its socket, standard output and `/dev/null`.
    pub fn tell(self) -> io::Result<()> {
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
