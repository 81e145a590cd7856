//! The folder that stands for a machine with Xen, as `shim.c` has it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use morgana_hal::DomId;

/// The size of a ring's page.
const PAGE_BYTES: u64 = 4096;

/// As many domains as there may be.
const DOMAINS: usize = 16;

/// The port that tells the daemon that some domain has changed.
const VIRQ_PORT: u32 = 1;

/// How long a daemon may take for what takes it microseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How a domain is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Life {
    /// There is none.
    Absent,
    /// It runs.
    Running,
    /// It has shut down.
    ShutDown,
    /// It is dead, and not all gone yet.
    Dying,
}

/// A machine with Xen: which domains there are, their rings and events.
#[derive(Debug)]
pub(crate) struct World {
    folder: PathBuf,
    notices: UnixDatagram,
}

impl World {
    /// A machine with domain 0 alone.
    pub(crate) fn new() -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A socket's path has 107 bytes at the most, so this is short.
        let name = format!("xs-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("run"))?;
        fs::write(folder.join("domains"), [b'0'; DOMAINS])?;
        fs::write(folder.join("port-0"), Self::port(DomId::DOM0).to_string())?;
        let notices = UnixDatagram::bind(folder.join("notify"))?;
        notices.set_read_timeout(Some(PATIENCE))?;
        let world = Self { folder, notices };
        world.set(DomId::DOM0, Life::Running)?;
        Ok(world)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The daemon's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("run/socket")
    }

    /// The port of a domain's ring.
    pub(crate) fn port(domain: DomId) -> u32 {
        100 + u32::from(domain.number())
    }

    /// The file that is a domain's ring.
    pub(crate) fn ring(&self, domain: DomId) -> io::Result<File> {
        let path = self.folder.join(format!("ring-{}", domain.number()));
        File::options().read(true).write(true).open(path)
    }

    /// Changes how a domain is, without telling the daemon. One that comes has an empty ring.
    pub(crate) fn set(&self, domain: DomId, life: Life) -> io::Result<()> {
        let ring = self.folder.join(format!("ring-{}", domain.number()));
        let state = match life {
            Life::Absent => b'0',
            Life::Running => b'1',
            Life::ShutDown => b'2',
            Life::Dying => b'3',
        };
        if life == Life::Running && !ring.exists() {
            File::create(ring)?.set_len(PAGE_BYTES)?;
        }
        let domains = File::options()
            .write(true)
            .open(self.folder.join("domains"))?;
        domains.write_all_at(&[state], domain.number().into())
    }

    /// Tells the daemon that some domain has changed.
    pub(crate) fn tell(&self) -> io::Result<()> {
        self.raise(VIRQ_PORT)
    }

    /// Raises an event of the daemon's.
    pub(crate) fn raise(&self, port: u32) -> io::Result<()> {
        let to = self.folder.join("evtchn");
        self.notices.send_to(&port.to_ne_bytes(), to).map(drop)
    }

    /// Waits until the daemon has raised an event since last asked.
    pub(crate) fn wait(&self) -> io::Result<()> {
        self.notices.recv(&mut [0; 4]).map(drop)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
