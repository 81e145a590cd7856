//! Commands of `xenstore-control` that are about files.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use morgana_daemon::logging;
use morgana_xenstored::{Command, Errno};

/// Where names of files begin that do not say where (as with Xen's daemon, whose folder it is).
const FOLDER: &str = "/var/lib/xenstored";

/// Does what is asked for.
///
/// # Errors
///
/// `EINVAL` if it is about no file; `EIO` if the file cannot be written, for a reason that is in the log.
pub(crate) fn command(command: &Command) -> Result<(), Errno> {
    let (path, done) = match command {
        Command::LogOn => return logging::reopen().map_err(|_| Errno::Io),
        Command::LogFile(path) => (path, logging::redirect(&place(path))),
        Command::Append { path, text } => (path, append(&place(path), text)),
        Command::LogOff | Command::Print(_) | Command::LiveUpdate(_) => return Err(Errno::Invalid),
    };
    done.map_err(|error| {
        log::warn!("{}: {error}", place(path).display());
        Errno::Io
    })
}

fn place(path: &str) -> PathBuf {
    Path::new(FOLDER).join(path)
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}
