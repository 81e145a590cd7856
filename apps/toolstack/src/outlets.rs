//! What devices are plugged into, on the back end's side.

use alloc::format;
use alloc::string::String;
use core::fmt;

use morgana_hal::DomId;

use crate::config::DiskAccess;

/// What the machine of the back ends does for devices; without external scripts.
pub trait Outlets {
    /// Puts the interface of a network device into a bridge, and brings it up, if its back end is Linux's own.
    ///
    /// # Errors
    ///
    /// [`OutletError`].
    fn plug(&self, vif: VifId, bridge: &str) -> Result<Plugged, OutletError>;

    /// What holds a disk that is made of a file until its back end has it open; then the disk is as long as that has it.
    type Held;

    /// Makes a block device of a regular file.
    ///
    /// # Errors
    ///
    /// [`OutletError`]; `NotABlockDevice` if it is neither that.
    fn attach(
        &self,
        path: &str,
        access: DiskAccess,
    ) -> Result<(BlockDevice, Self::Held), OutletError>;

    /// Whether the back end of a disk has its block device open.
    fn is_open(&self, disk: DiskId) -> Opened;

    /// Which block device is at a path.
    ///
    /// # Errors
    ///
    /// [`OutletError`].
    fn block_device(&self, path: &str) -> Result<BlockDevice, OutletError>;
}

/// Which of all network devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VifId {
    /// Whose front end it is.
    pub domain: DomId,
    /// Which of the domain's.
    pub number: u32,
}

/// Which of all disks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskId {
    /// Whose front end it is.
    pub domain: DomId,
    /// Which of the domain's, as the guest calls it (xen-vbd-interface(7)).
    pub number: u32,
}

/// What has become of a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    /// Its back end has it open.
    Open,
    /// Its back end is Linux's own, which has not opened it yet.
    NotYet,
    /// Its back end is another one, which looks for the file itself.
    NotOurs,
}

/// What has become of a network device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plugged {
    /// It is in the bridge.
    InBridge,
    /// Its back end is Linux's own, which has not made its interface yet.
    NotYet,
    /// Its back end is another one, which looks after itself.
    NotOurs,
}

/// A block device of Linux's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockDevice {
    /// Its driver.
    pub major: u32,
    /// Which of its driver's.
    pub minor: u32,
}

impl BlockDevice {
    /// As the node `physical-device` of a back end has it.
    pub(crate) fn key(self) -> String {
        format!("{:x}:{:x}", self.major, self.minor)
    }
}

/// Why a device was not plugged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutletError {
    /// There is no such bridge.
    NoBridge,
    /// There is neither a block device nor a file at the path.
    NotABlockDevice,
    /// No loop device can be had.
    NoLoopDevice,
    /// The machine refused, with this number (Linux's errno.h).
    Refused(i32),
}

impl fmt::Display for OutletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBridge => f.write_str("there is no such bridge"),
            Self::NotABlockDevice => {
                f.write_str("there is no block device and no file at the path")
            }
            Self::NoLoopDevice => {
                f.write_str("no loop device can be had (is the module loop loaded?)")
            }
            Self::Refused(errno) => write!(f, "Linux refused (error {errno})"),
        }
    }
}

impl core::error::Error for OutletError {}
