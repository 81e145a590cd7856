//! What devices are plugged into, on the back end's side.

use alloc::format;
use alloc::string::String;
use core::fmt;

use morgana_hal::DomId;

/// What the machine of the back ends does for devices; without external scripts.
pub trait Outlets {
    /// Puts the interface of a network device into a bridge, and brings it up, if its back end is Linux's own.
    ///
    /// # Errors
    ///
    /// [`OutletError`].
    fn plug(&self, vif: VifId, bridge: &str) -> Result<Plugged, OutletError>;

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
    /// There is no block device at the path.
    NotABlockDevice,
    /// The machine refused, with this number (Linux's errno.h).
    Refused(i32),
}

impl fmt::Display for OutletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBridge => f.write_str("there is no such bridge"),
            Self::NotABlockDevice => f.write_str("there is no block device at the path"),
            Self::Refused(errno) => write!(f, "Linux refused (error {errno})"),
        }
    }
}

impl core::error::Error for OutletError {}
