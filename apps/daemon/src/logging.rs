//! The daemon's log: one line a record, to a file, to the system's log, or to standard error.

use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use morgana_hal::Clock;
use morgana_linux::LinuxClock;
use signal_hook::consts::SIGHUP;

use crate::background::Ready;
use crate::logfile::{LogFile, Rotation};

/// Where the system's log takes messages (syslog(3), `_PATH_LOG`).
const SYSLOG: &str = "/dev/log";
/// syslog.h, `LOG_DAEMON`.
const DAEMON: u8 = 3 << 3;

/// Where the lines go.
#[derive(Debug)]
enum Target {
    File(LogFile),
    System(UnixDatagram),
    StandardError,
}

#[derive(Debug)]
struct Lines {
    /// What the system's log calls the program.
    program: &'static str,
    target: Mutex<Target>,
    /// SIGHUP has come: the file is to be opened anew.
    moved: Arc<AtomicBool>,
}

static LINES: OnceLock<Lines> = OnceLock::new();

/// Logs to the file, at whose end lines are added. Without one, a daemon in the background logs to the system's log if there is one, and
/// all else to standard error.
///
/// # Errors
///
/// Those of opening the file.
pub fn start(program: &'static str, path: Option<&Path>, ready: Ready) -> io::Result<()> {
    let target = match (path, ready) {
        (Some(path), _) => Target::File(LogFile::open(path, Rotation::default())?),
        (None, Ready::Starter) => system().map_or(Target::StandardError, Target::System),
        (None, Ready::Nobody) => Target::StandardError,
    };
    let moved = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, moved.clone())?;
    let target = Mutex::new(target);
    let lines = LINES.get_or_init(|| Lines {
        program,
        target,
        moved,
    });
    if log::max_level() == LevelFilter::Off {
        log::set_max_level(LevelFilter::Info);
    }
    // There is one log in a process, and it is set here only.
    let _ = log::set_logger(lines);
    Ok(())
}

/// Logs to another file from now on.
///
/// # Errors
///
/// Those of opening the file; all stays as it is then.
pub fn redirect(path: &Path) -> io::Result<()> {
    let file = LogFile::open(path, Rotation::default())?;
    if let Some(lines) = LINES.get() {
        *lines.target() = Target::File(file);
    }
    Ok(())
}

/// Opens the log's file anew: somebody may have moved it away.
///
/// # Errors
///
/// Those of opening the file; all stays as it is then.
pub fn reopen() -> io::Result<()> {
    let Some(lines) = LINES.get() else {
        return Ok(());
    };
    if let Target::File(file) = &mut *lines.target() {
        *file = LogFile::open(file.path(), Rotation::default())?;
    }
    Ok(())
}

fn system() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(SYSLOG)?;
    // A log that is not read must not stop the daemon.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Lines {
    fn target(&self) -> std::sync::MutexGuard<'_, Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    /// In one write, so that lines do not mix. What cannot be written, such as on a full disk, is lost.
    fn log(&self, record: &Record<'_>) {
        let level = record.level();
        let said = record.args();
        if self.moved.swap(false, Ordering::Relaxed) {
            // The old file is better than none.
            let _ = reopen();
        }
        let _ = match &mut *self.target() {
            Target::File(file) => file.add(stamped(level, said).as_bytes()),
            Target::StandardError => io::stderr().write_all(stamped(level, said).as_bytes()),
            Target::System(socket) => {
                let (priority, id) = (DAEMON | severity(level), std::process::id());
                let line = format!("<{priority}>{}[{id}]: {said}", self.program);
                socket.send(line.as_bytes()).map(drop)
            }
        };
    }

    fn flush(&self) {}
}

/// A line that begins with the time.
fn stamped(level: Level, said: &core::fmt::Arguments<'_>) -> String {
    let now = LinuxClock.wall();
    format!("{now} {level} {said}\n")
}

/// syslog.h, `LOG_ERR`, `LOG_WARNING`, `LOG_INFO` and `LOG_DEBUG`.
fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}
