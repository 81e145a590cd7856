//! A daemon that runs on plain Linux, in a folder of its own.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::packages::Packages;
use crate::world::{PATIENCE, World};

/// Which daemon.
#[derive(Clone, Copy, Debug)]
pub enum Program<'a> {
    /// Xen's, in C.
    C(&'a Packages),
    /// Xen's, in OCaml.
    Ocaml(&'a Packages),
    /// Ours: the program's path. It serves its socket only.
    Ours(&'a Path),
}

impl Program<'_> {
    /// The program for a live update to the same; `None` if it has no live update here.
    pub fn successor(&self) -> Option<PathBuf> {
        match self {
            Self::C(packages) => Some(packages.program("xenstored")),
            Self::Ocaml(_) => None,
            Self::Ours(path) => Some(path.to_path_buf()),
        }
    }
}

/// A daemon that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    world: World,
}

impl Daemon {
    /// Starts it; it serves when this returns.
    ///
    /// # Errors
    ///
    /// Those of its files, and of the compiler; `TimedOut` if it does not serve.
    pub fn start(program: Program<'_>) -> io::Result<Self> {
        let world = World::new()?;
        let command = match program {
            Program::C(packages) => {
                let mut command = foreign(packages, "xenstored", &world);
                command.arg("--no-fork");
                command
            }
            Program::Ocaml(packages) => {
                let config = config(world.folder())?;
                let mut command = foreign(packages, "oxenstored", &world);
                command.args(["--no-fork", "--no-access-log", "--config-file"]);
                command.arg(config);
                command
            }
            Program::Ours(path) => {
                let mut command = Command::new(path);
                command.args(["--no-fork", "--no-domain-init"]);
                command.env("XENSTORED_PATH", world.socket());
                command
            }
        };
        Self::run(command, world)
    }

    fn run(mut command: Command, world: World) -> io::Result<Self> {
        let log = fs::File::create(world.folder().join("log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut daemon = Self { child, world };
        let began = Instant::now();
        while let Err(error) = daemon.connect() {
            let ended = daemon.child.try_wait()?.is_some();
            if ended || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(daemon.world.folder().join("log"))?;
                let text = format!("{command:?} does not serve: {error}; it says {said}");
                return Err(io::Error::new(ErrorKind::TimedOut, text));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(daemon)
    }

    /// A new connection to its socket.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(self.world.socket())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, after it has closed a connection by itself. `None` if it goes on.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of Xen's, with the shim in place of its libraries.
fn foreign(packages: &Packages, name: &str, world: &World) -> Command {
    let mut command = Command::new(packages.program(name));
    command
        .env("MORGANA_XEN", world.folder())
        .env("LD_LIBRARY_PATH", packages.libraries())
        .env("LD_PRELOAD", packages.shim());
    command
}

/// oxenstored's limits are Debian's; its files are elsewhere.
fn config(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("oxenstored.conf");
    let place = folder.display();
    let text = format!(
        "pid-file = {place}/pid\nxenstored-log-file = {place}/oxenstored.log\nxenstored-log-nb-files = 0\n\
         xenstored-kva = /proc/xen/xsd_kva\nxenstored-port = /proc/xen/xsd_port\n\
         merge-activate = true\nperms-activate = true\nperms-watch-activate = true\nquota-activate = true\n\
         quota-maxentity = 1000\nquota-maxsize = 2048\nquota-maxwatch = 100\nquota-transaction = 10\n\
         quota-maxrequests = 1024\nquota-path-max = 1024\n"
    );
    fs::write(&path, text)?;
    Ok(path)
}
