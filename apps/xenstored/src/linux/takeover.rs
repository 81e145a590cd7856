//! Going on with what the xenstored has left that this process was before.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use morgana_linux::inherited;
use morgana_reactor::{Reactor, Source};
use morgana_xenstored::{Descriptor, Loaded, Quota, Store};

use super::socket::Stream;

/// Where the state is, if the program before was ours: the number of a descriptor.
pub(crate) const STATE: &str = "MORGANA_XENSTORED_STATE";

/// The longest state that is read, in bytes.
const LONGEST: u64 = 1 << 30;

/// The state, as the program before has left it: in memory, or (Xen's C daemon) in a file.
///
/// # Errors
///
/// That it cannot be read, or is none.
pub(crate) fn state(quota: Quota) -> Result<Loaded, Box<dyn Error>> {
    let number = env::var(STATE).ok().and_then(|text| text.parse().ok());
    if let Some(state) = number.and_then(inherited) {
        return read(File::from(state), quota);
    }
    let path = file();
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let loaded = read(File::open(&path).map_err(named)?, quota)?;
    // It is of no use to anybody from now on.
    let _ = fs::remove_file(path);
    Ok(loaded)
}

/// Reads a state from its beginning.
///
/// # Errors
///
/// That it cannot be read, or is none.
pub(crate) fn read(mut state: File, quota: Quota) -> Result<Loaded, Box<dyn Error>> {
    state.rewind()?;
    let mut stream = Vec::new();
    state.take(LONGEST).read_to_end(&mut stream)?;
    Ok(Store::load(&stream, quota)?)
}

/// Where Xen's C daemon leaves its state.
fn file() -> PathBuf {
    let folder = env::var_os("XENSTORED_RUNDIR");
    let folder = folder.map_or_else(|| "/run/xenstored".into(), PathBuf::from);
    folder.join("state_dump")
}

/// The socket at which local clients come: the one that was left, or a new one.
///
/// # Errors
///
/// Those of the socket.
pub(crate) fn listener(
    left: Descriptor,
    path: &Path,
    reactor: &Reactor,
) -> io::Result<Source<UnixListener>> {
    let Some(socket) = inherited(left.0) else {
        return morgana_daemon::listen(path, reactor);
    };
    let listener = UnixListener::from(socket);
    listener.set_nonblocking(true)?;
    reactor.register(listener)
}

/// The stream of a local client.
///
/// # Errors
///
/// Those of the socket; `NotFound` if it was not left.
pub(crate) fn stream(left: Descriptor, reactor: &Reactor) -> io::Result<Stream> {
    let socket = inherited(left.0).ok_or(io::ErrorKind::NotFound)?;
    Stream::new(UnixStream::from(socket), reactor)
}
