//! What a disk of a guest is made of.

use alloc::rc::Rc;

use morgana::Platform;
use morgana::blkfront::Blkfront;
use morgana::block::{BlockDevice, BlockError, Discard, Geometry, RamDisk};

/// A disk that guests can have. Cheap to clone; every clone is the same disk.
pub(crate) enum Disk<P: Platform> {
    /// In this domain's memory.
    Ram(Rc<RamDisk>),
    /// A disk of this domain, passed on.
    Own(Rc<Blkfront<P>>),
    /// A file or block device of the machine.
    #[cfg(not(target_os = "none"))]
    File(Rc<morgana_file::FileDisk>),
}

impl<P: Platform> Clone for Disk<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Ram(disk) => Self::Ram(disk.clone()),
            Self::Own(disk) => Self::Own(disk.clone()),
            #[cfg(not(target_os = "none"))]
            Self::File(disk) => Self::File(disk.clone()),
        }
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

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        each!(self, disk => disk.discard(sector, count, how).await)
    }

    fn discards(&self, how: Discard) -> bool {
        each!(self, disk => disk.discards(how))
    }
}
