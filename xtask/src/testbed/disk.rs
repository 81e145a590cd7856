//! Files of the host as disks of the testbed's guests.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::handle::Testbed;

/// By which xl gives a block device to Linux's back end.
const SCRIPT: &str = include_str!("dom0/block");
/// Linux's sectors.
const SECTOR: usize = 512;

/// Whether a guest may write to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It may.
    ReadWrite,
    /// It may not.
    ReadOnly,
}

impl Testbed {
    /// Copies a file of the host to dom0, where a loop device makes it a disk; returns what stands in xl's `disk` for a guest to which it is `name`. What the
    /// guest writes stays in dom0.
    pub(crate) fn disk(&self, host: &Path, name: &str, access: Access) -> Result<String> {
        let mut bytes =
            fs::read(host).with_context(|| format!("cannot read {}", host.display()))?;
        bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
        self.put_bytes(SCRIPT.as_bytes(), "/etc/xen/scripts/block", 0o755)?;
        let file = self.sh("mkdir -p /disks && mktemp /disks/XXXXXX")?;
        let file = file.trim();
        self.put_bytes(&bytes, file, 0o600)?;
        let (option, mode) = match access {
            Access::ReadWrite => ("", "rw"),
            Access::ReadOnly => ("-r", "ro"),
        };
        let device = self.sh(&format!(
            "modprobe loop && device=$(losetup -f) && losetup {option} $device {file} && echo $device"
        ))?;
        Ok(format!(
            "vdev={name},format=raw,access={mode},target={}",
            device.trim()
        ))
    }
}
