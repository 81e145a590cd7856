//! The disk.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::rc::Rc;

use morgana_block::{BlockDevice, BlockError, Discard, Geometry, Writes};
use morgana_uring::Uring;
use rustix::fs::{SeekFrom, ioctl_blksszget, seek};

/// Bytes in a sector of a plain file.
const SECTOR: u32 = 512;

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// To be read.
    ReadOnly,
    /// To be read and written.
    ReadWrite,
}

/// A file or a block device.
pub struct FileDisk {
    uring: Uring,
    file: Rc<OwnedFd>,
    geometry: Geometry,
}

impl FileDisk {
    /// Opens it; it must be there.
    ///
    /// # Errors
    ///
    /// The kernel's, or [`ErrorKind::InvalidInput`] for what is neither a plain file nor a block device.
    pub fn open(uring: &Uring, path: impl AsRef<Path>, access: Access) -> io::Result<Self> {
        let (writable, writes) = match access {
            Access::ReadOnly => (false, Writes::Refused),
            Access::ReadWrite => (true, Writes::Allowed),
        };
        let file = OpenOptions::new().read(true).write(writable).open(path)?;
        let kind = file.metadata()?.file_type();
        let sector = if kind.is_block_device() {
            ioctl_blksszget(&file)?
        } else if kind.is_file() {
            SECTOR
        } else {
            return Err(ErrorKind::InvalidInput.into());
        };
        // The end of a block device is its size too.
        let bytes = seek(&file, SeekFrom::End(0))?;
        let geometry = Geometry::new(sector, bytes / u64::from(sector), writes)
            .map_err(|_| ErrorKind::InvalidInput)?;
        Ok(Self {
            uring: uring.clone(),
            file: Rc::new(file.into()),
            geometry,
        })
    }

    fn offset(&self, sector: u64) -> u64 {
        sector * self.geometry.sector_size() as u64
    }
}

impl BlockDevice for FileDisk {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.geometry.check(sector, into.len())?;
        let start = self.offset(sector);
        let mut done = 0;
        // The kernel may do less than it is asked for.
        while done < into.len() {
            let buffer = vec![0; into.len() - done];
            let (read, buffer) = self
                .uring
                .read(&self.file, buffer, start + done as u64)
                .await;
            match read {
                // The file has become shorter.
                Ok(0) => return Err(BlockError::Io),
                Ok(count) => {
                    into[done..done + count].copy_from_slice(&buffer[..count]);
                    done += count;
                }
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(())
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.geometry.check_write(sector, from.len())?;
        let start = self.offset(sector);
        let mut done = 0;
        while done < from.len() {
            let buffer = from[done..].to_vec();
            let (written, _) = self
                .uring
                .write(&self.file, buffer, start + done as u64)
                .await;
            match written {
                Ok(0) => return Err(BlockError::Io),
                Ok(count) => done += count,
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(())
    }

    async fn flush(&self) -> Result<(), BlockError> {
        let synced = self.uring.sync_data(&self.file).await;
        synced.map_err(|error| failure(&error))
    }

    async fn discard(&self, sector: u64, count: u64, how: Discard) -> Result<(), BlockError> {
        self.geometry.check_write(sector, 0)?;
        self.geometry.check_sectors(sector, count)?;
        if how == Discard::Secure {
            return Err(BlockError::Unsupported);
        }
        if count == 0 {
            return Ok(());
        }
        let (offset, len) = (self.offset(sector), self.offset(count));
        let punched = self.uring.punch_hole(&self.file, offset, len).await;
        punched.map_err(|error| failure(&error))
    }

    fn discards(&self, how: Discard) -> bool {
        how == Discard::Plain && self.geometry.writes() == Writes::Allowed
    }
}

fn failure(error: &io::Error) -> BlockError {
    match error.kind() {
        ErrorKind::Unsupported => BlockError::Unsupported,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => BlockError::Full,
        _ => BlockError::Io,
    }
}

impl fmt::Debug for FileDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileDisk")
            .field("geometry", &self.geometry)
            .finish_non_exhaustive()
    }
}
