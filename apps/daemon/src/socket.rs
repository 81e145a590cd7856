//! The Unix socket of a daemon's clients.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use morgana_linux::{Reactor, Source};

/// Listens at `path`, for nobody but the daemon's own user. What a daemon before has left there goes.
///
/// # Errors
///
/// `AddrInUse` if somebody else listens there already, and Linux's.
pub fn listen(path: &Path, reactor: &Reactor) -> io::Result<Source<UnixListener>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match UnixStream::connect(path) {
        Ok(_) => return Err(ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    reactor.register(listener)
}
