//! Loop devices: block devices of this Linux that are made of files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use morgana_hal::DomId;
use rustix::io::Errno;

use crate::ioctl::loops::{self, NAME_BYTES, Writes};

/// How often another one is tried when somebody else has taken a free device meanwhile.
const ATTEMPTS: u32 = 64;

/// A block device that is made of a file. The file is let go when nobody has the device open any more, this value included.
#[derive(Debug)]
pub struct LoopDevice(File);

/// What may be done with such a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoopAccess {
    /// It is read.
    ReadOnly,
    /// It is read and written.
    ReadWrite,
}

impl LoopDevice {
    /// Makes a block device of a regular file.
    ///
    /// # Errors
    ///
    /// The kernel's: `InvalidInput` if it is no regular file, `NotFound` if it is not there, or if there are no loop devices (the module `loop`), `PermissionDenied` without the right to.
    pub fn of_file(path: &Path, access: LoopAccess) -> io::Result<Self> {
        let writes = access == LoopAccess::ReadWrite;
        let open = |path: &Path| OpenOptions::new().read(true).write(writes).open(path);
        if !fs::metadata(path)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = open(path)?;
        let control = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/loop-control")?;
        let writes = match access {
            LoopAccess::ReadOnly => Writes::Refused,
            LoopAccess::ReadWrite => Writes::Allowed,
        };
        for _ in 0..ATTEMPTS {
            let number = loops::free_number(&control)?;
            let device = open(Path::new(&format!("/dev/loop{number}")))?;
            match loops::configure(&device, &file, name(path), writes) {
                Ok(()) => return Ok(Self(device)),
                Err(Errno::BUSY) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(Errno::BUSY.into())
    }

    /// Its number, as `st_rdev` has it.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn number(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.rdev())
    }
}

/// What has become of a disk whose back end is in this Linux.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskBackEnd {
    /// Linux's own back end has its block device open.
    Open,
    /// It is about to.
    NotYet,
    /// Another one serves it.
    NotLinuxs,
}

/// How far the back end of a disk is.
pub fn disk_back_end(front_end: DomId, number: u32) -> DiskBackEnd {
    let device = format!("vbd-{}-{number}", front_end.number());
    let device = Path::new("/sys/bus/xen-backend/devices").join(device);
    let is_linuxs = device.join("driver").exists();
    // Made when the block device is open (Linux, drivers/block/xen-blkback/xenbus.c: xenvbd_sysfs_addif).
    match device.join("physical_device").exists() {
        true => DiskBackEnd::Open,
        false if is_linuxs => DiskBackEnd::NotYet,
        false => DiskBackEnd::NotLinuxs,
    }
}

/// What `losetup` shows: the end of a long path says more than its beginning.
fn name(path: &Path) -> [u8; NAME_BYTES] {
    let bytes = path.as_os_str().as_encoded_bytes();
    let shown = &bytes[bytes.len().saturating_sub(NAME_BYTES - 1)..];
    let mut name = [0; NAME_BYTES];
    name[..shown.len()].copy_from_slice(shown);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused() {
        for (path, kind) in [
            ("/dev/null", io::ErrorKind::InvalidInput),
            ("/", io::ErrorKind::InvalidInput),
            ("/no/such/thing", io::ErrorKind::NotFound),
        ] {
            let error = LoopDevice::of_file(Path::new(path), LoopAccess::ReadWrite).unwrap_err();
            assert_eq!(error.kind(), kind, "{path}");
        }
    }

    #[test]
    fn a_name_ends_in_a_zero() {
        assert_eq!(&name(Path::new("/a"))[..3], b"/a\0");
        let long = "b".repeat(1000);
        let name = name(Path::new(&long));
        assert_eq!((name[62], name[63]), (b'b', 0));
    }

    #[test]
    fn nobody_serves_a_disk_that_is_not_there() {
        let told = disk_back_end(DomId::new(0x7fee), 51712);
        assert_eq!(told, DiskBackEnd::NotLinuxs);
    }
}
