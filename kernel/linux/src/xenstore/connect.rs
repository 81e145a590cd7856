//! Finding the way to xenstored as Xen's own library does, for programs that need nothing else of Xen.

use core::fmt;
use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::stream::{DEVICES, LinuxXenstore};
use crate::Reactor;
use crate::device::open_file;

/// Names the socket (libxenstore, `xs_daemon_path`).
const PATH_VARIABLE: &str = "XENSTORED_PATH";
/// Names the socket's folder.
const FOLDER_VARIABLE: &str = "XENSTORED_RUNDIR";
/// The socket's folder in the domain that xenstored runs in as a daemon, usually domain 0.
const FOLDER: &str = "/run/xenstored";

/// Why there is no way to xenstored. The text says what to do.
#[derive(Debug)]
pub struct ConnectError {
    /// Where it was tried; of several places, the first that is there.
    pub path: PathBuf,
    /// What is in the way.
    pub obstacle: Obstacle,
}

/// What is in the way to xenstored.
#[derive(Debug)]
pub enum Obstacle {
    /// None of the usual places is there.
    Nowhere,
    /// The file is neither a socket nor a device.
    NoWay,
    /// Linux does not open it, or does not watch it.
    Linux(io::Error),
}

impl LinuxXenstore {
    /// Opens the first way that there is: the socket that `$XENSTORED_PATH` names; if it names none, `$XENSTORED_RUNDIR/socket` or
    /// `/run/xenstored/socket`, and then `/dev/xen/xenbus` and `/proc/xen/xenbus`. So it leads to a daemon in this domain if there is one, and
    /// else by the kernel to the daemon that serves it, as in any guest.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: of the first place that is there, or [`Obstacle::Nowhere`].
    pub fn connect(reactor: &Reactor) -> Result<Self, ConnectError> {
        let (mut first, mut refused) = (None, None);
        for path in places(|name| env::var_os(name).map(PathBuf::from)) {
            match Self::connect_to(&path, reactor) {
                Ok(stream) => return Ok(stream),
                Err(error) if error.leads_nowhere() => drop(first.get_or_insert(path)),
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Err(refused.unwrap_or_else(|| ConnectError {
            path: first.unwrap_or_default(),
            obstacle: Obstacle::Nowhere,
        }))
    }

    /// Opens this way: a Unix socket, or the kernel's xenstore device.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub fn connect_to(path: &Path, reactor: &Reactor) -> Result<Self, ConnectError> {
        let at = |obstacle| ConnectError {
            path: path.to_owned(),
            obstacle,
        };
        let refused = |error| at(Obstacle::Linux(error));
        let kind = fs::metadata(path).map_err(refused)?.file_type();
        if kind.is_socket() {
            let stream = UnixStream::connect(path).map_err(refused)?;
            Self::socket(stream, reactor).map_err(refused)
        } else {
            // One of the kernel's two names for the device looks like a plain file; a file that is one cannot be watched.
            let device = open_file(path).map_err(|errno| refused(errno.into()))?;
            Self::device(device, reactor).map_err(|error| match error.raw_os_error() {
                Some(errno) if errno == Errno::PERM.raw_os_error() => at(Obstacle::NoWay),
                _ => refused(error),
            })
        }
    }
}

/// The usual places, in their order.
fn places(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(path) = variable(PATH_VARIABLE) {
        return vec![path];
    }
    let folder = variable(FOLDER_VARIABLE).unwrap_or_else(|| FOLDER.into());
    let mut places = vec![folder.join("socket")];
    places.extend(DEVICES.map(PathBuf::from));
    places
}

impl ConnectError {
    /// Whether nobody is there: no such file, a socket that a dead daemon left, a device without a Xen.
    fn leads_nowhere(&self) -> bool {
        let Obstacle::Linux(error) = &self.obstacle else {
            return false;
        };
        let none = [Errno::NXIO, Errno::NODEV];
        matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::ConnectionRefused
        ) || none
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.obstacle {
            Obstacle::Nowhere => write!(
                f,
                "{path}: no xenstored is there (in a domain of Xen, /dev/xen/xenbus leads to one)"
            ),
            Obstacle::NoWay => write!(f, "{path} is neither a socket nor a device"),
            Obstacle::Linux(error) => {
                write!(f, "{path}: {}", words(error))?;
                match error.kind() {
                    ErrorKind::PermissionDenied => {
                        f.write_str("; run this as root, or as a user who may use it")
                    }
                    ErrorKind::ConnectionRefused => f.write_str(": no xenstored listens there"),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// The error as Linux words it, without its number.
fn words(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_owned()
}

impl core::error::Error for ConnectError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    fn reactor() -> (Reactor, UnixStream) {
        let (wake, kept) = UnixStream::pair().unwrap();
        let reactor = Reactor::new(&wake).unwrap();
        // Watched as long as it is open.
        drop(wake);
        (reactor, kept)
    }

    #[test]
    fn places_are_those_of_xens_library() {
        let path = |text: &str| PathBuf::from(text);
        let usual = places(|_| None);
        assert_eq!(usual[0], path("/run/xenstored/socket"));
        assert_eq!(usual[1..], DEVICES.map(PathBuf::from));
        let folder = places(|name| (name == FOLDER_VARIABLE).then(|| path("/f")));
        assert_eq!((folder[0].clone(), folder.len()), (path("/f/socket"), 3));
        // Who names the way means that one.
        let named = places(|_| Some(path("/s")));
        assert_eq!(named, [path("/s")]);
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let (reactor, _kept) = reactor();
        let folder = env::temp_dir().join(format!("morgana-connect-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let refused = |path: &Path| LinuxXenstore::connect_to(path, &reactor).unwrap_err();
        let missing = refused(&folder.join("none"));
        assert!(missing.leads_nowhere(), "{missing}");
        assert!(
            missing
                .to_string()
                .ends_with("none: no such file or directory")
        );
        let file = folder.join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(refused(&file).obstacle, Obstacle::NoWay));
        let socket = folder.join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        assert!(LinuxXenstore::connect_to(&socket, &reactor).is_ok());
        drop(listener);
        let dead = refused(&socket);
        assert!(dead.leads_nowhere(), "{dead}");
        assert!(dead.to_string().contains("no xenstored listens"), "{dead}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
