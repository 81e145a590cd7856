//! A disk of the guest that is a file of the host.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use morgana_blkback::{BackendAddress, Blkback, Config, Writes};
use morgana_blkif::Vdev;
use morgana_emul::{EmulPlatform, Reactor};
use morgana_exec::Handle;
use morgana_file::{Access, FileDisk};
use morgana_hal::DomId;
use morgana_uring::Uring;
use morgana_xenstore_client::Client;

use crate::MachineError;

/// Accesses to files that are under way at once.
const ENTRIES: u32 = 256;

/// A disk: `NAME=FILE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// Which one it is for the guest.
    pub vdev: Vdev,
    /// The host's file or block device. One that cannot be written is a disk that cannot be written.
    pub file: PathBuf,
}

impl FromStr for Disk {
    type Err = DiskError;

    fn from_str(text: &str) -> Result<Self, DiskError> {
        let (name, file) = text.split_once('=').ok_or(DiskError)?;
        let vdev = name.parse().map_err(|_| DiskError)?;
        if file.is_empty() {
            return Err(DiskError);
        }
        let file = file.into();
        Ok(Self { vdev, file })
    }
}

/// This names no disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskError;

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected NAME=FILE, as xvda=disk.img")
    }
}

impl core::error::Error for DiskError {}

/// Serves the disks, whose keys are written, as long as what is returned is kept.
pub(crate) async fn serve(
    disks: &[Disk],
    guest: DomId,
    platform: &EmulPlatform,
    client: &Client,
    tasks: &Handle,
    reactor: &Reactor,
) -> Result<Vec<Blkback>, MachineError> {
    let mut served = Vec::new();
    if disks.is_empty() {
        return Ok(served);
    }
    let uring = Uring::new(ENTRIES, reactor).map_err(MachineError::Host)?;
    for disk in disks {
        let opened = FileDisk::open(&uring, &disk.file, Access::ReadWrite)
            .map(|file| (file, Writes::Allowed))
            .or_else(|_| {
                FileDisk::open(&uring, &disk.file, Access::ReadOnly)
                    .map(|file| (file, Writes::Refused))
            });
        let (file, writes) = opened.map_err(|error| MachineError::Disk(disk.clone(), error))?;
        let address = BackendAddress {
            frontend: guest,
            index: disk.vdev.number(),
        };
        let config = Config {
            writes,
            ..Config::default()
        };
        let back_end = Blkback::open(platform, client, tasks, address, file, config).await;
        served.push(back_end.map_err(MachineError::Block)?);
    }
    Ok(served)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_a_name_and_a_file() {
        let disk: Disk = "xvdb=/tmp/a=b".parse().unwrap();
        assert_eq!(disk.vdev, "xvdb".parse().unwrap());
        assert_eq!(disk.file, PathBuf::from("/tmp/a=b"));
        for text in ["", "xvda", "xvda=", "=file", "disk=file"] {
            assert_eq!(text.parse::<Disk>(), Err(DiskError), "{text}");
        }
    }
}
