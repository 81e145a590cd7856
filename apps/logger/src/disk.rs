//! Where the log is kept.

use alloc::boxed::Box;
use alloc::format;
use core::error::Error;

use morgana::blkfront::Blkfront;
use morgana::block::{BlockDevice, BlockError, Geometry, RamDisk};
use morgana::{Domain, Platform, log};

use crate::host::Host;

/// Bytes in a sector of a disk in memory.
const SECTOR: u32 = 512;
/// KiB of memory for the log, where there is no disk.
const MEMORY: u32 = 1024;

/// A disk, or what takes the place of one.
pub(crate) enum Disk<P: Platform> {
    /// In this domain's memory.
    Ram(RamDisk),
    /// A disk of this domain.
    Own(Blkfront<P>),
    /// A file of the machine.
    #[cfg(not(target_os = "none"))]
    File(morgana_file::FileDisk),
}

impl<P: Host> Disk<P> {
    /// What `disk=` on the command line says: a disk of the domain's (`xvda`), on Linux also a file (`/var/lib/log`). If it says nothing: `xvda` if there is one,
    /// else memory.
    pub(crate) async fn open(domain: &Domain<P>) -> Result<Self, Box<dyn Error>> {
        let line = domain.command_line();
        if let Some(path) = line.value("disk").filter(|name| name.starts_with('/')) {
            return Self::file(domain, path);
        }
        let disks = morgana::blkfront::disks(domain.xenstore()?).await?;
        let name = line.value("disk");
        let first = disks.first().map(|vdev| format!("{}", vdev.number()));
        if let Some(name) = name.or(first.as_deref()) {
            log::info!("the log is on the disk {name}");
            return Ok(Self::Own(domain.disk(name).await?));
        }
        let kib: u32 = line.parse("memory", MEMORY)?;
        log::warn!("there is no disk: the log has {kib} KiB of memory, and ends with this domain");
        let sectors = u64::from(kib) * 1024 / u64::from(SECTOR);
        Ok(Self::Ram(RamDisk::new(SECTOR, sectors)?))
    }

    #[cfg(not(target_os = "none"))]
    fn file(domain: &Domain<P>, path: &str) -> Result<Self, Box<dyn Error>> {
        let mib: u32 = domain.command_line().parse("size", crate::host::FILE_MIB)?;
        log::info!("the log is in the file {path}");
        Ok(Self::File(crate::host::file(domain, path, mib)?))
    }

    #[cfg(target_os = "none")]
    fn file(_: &Domain<P>, path: &str) -> Result<Self, Box<dyn Error>> {
        Err(format!("{path}: a domain of its own has disks, and no files").into())
    }
}

/// The same for each kind.
macro_rules! each {
    ($self:expr, $disk:ident => $access:expr) => {
        match $self {
            Disk::Ram($disk) => $access,
            Disk::Own($disk) => $access,
            #[cfg(not(target_os = "none"))]
            Disk::File($disk) => $access,
        }
    };
}

impl<P: Platform> BlockDevice for Disk<P> {
    fn geometry(&self) -> Geometry {
        each!(self, disk => disk.geometry())
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        each!(self, disk => disk.read(sector, into).await)
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        each!(self, disk => disk.write(sector, from).await)
    }

    async fn flush(&self) -> Result<(), BlockError> {
        each!(self, disk => disk.flush().await)
    }
}
