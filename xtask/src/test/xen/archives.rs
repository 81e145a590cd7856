//! Disks with a tar archive on them, which are changed under a guest.

use anyhow::Result;

use super::Lab;
use super::block::ram_disks;
use crate::testbed::Guest;

/// A disk in dom0's memory, whose archive is made by dom0's tar.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArchiveDisk<'a> {
    lab: &'a Lab<'a>,
    number: u32,
}

impl<'a> ArchiveDisk<'a> {
    /// One of the testbed's four, by its number.
    pub(super) fn new(lab: &'a Lab<'a>, number: u32) -> Result<ArchiveDisk<'a>> {
        ram_disks(lab)?;
        Ok(ArchiveDisk { lab, number })
    }

    /// What stands in xl's `disk` for a guest that calls it `name`.
    pub(super) fn words(self, name: &str) -> String {
        let device = self.device();
        format!("vdev={name},format=raw,access=ro,target={device}")
    }

    /// The device in dom0.
    pub(super) fn device(self) -> String {
        format!("/dev/ram{}", self.number)
    }

    /// Puts an archive with exactly these files onto the disk.
    pub(super) fn write(self, files: &[(&str, &[u8])]) -> Result<()> {
        let folder = format!("/archive-{}", self.number);
        self.lab.sh(&format!("rm -rf {folder}; mkdir {folder}"))?;
        for (name, bytes) in files {
            self.lab
                .put_bytes(bytes, &format!("{folder}/{name}"), 0o644)?;
        }
        let device = self.device();
        self.lab
            .sh(&format!(
                "busybox tar -cf {folder}.tar -C {folder} . && dd if={folder}.tar of={device} bs=64k conv=fsync"
            ))
            .map(drop)
    }

    /// Fills the whole disk from a device that has no end.
    pub(super) fn fill(self, from: &str) -> Result<()> {
        let device = self.device();
        self.lab
            .sh(&format!(
                "dd if={from} of={device} bs=1M count=$(($(blockdev --getsize64 {device}) >> 20)) conv=fsync"
            ))
            .map(drop)
    }
}

/// Tells a guest that its disks have new contents, as an operator does.
pub(super) fn reload(lab: &Lab<'_>, guest: &Guest) -> Result<()> {
    let name = guest.name();
    lab.sh(&format!(
        "xenstore-write /local/domain/$(xl domid {name})/data/reload 1"
    ))
    .map(drop)
}
