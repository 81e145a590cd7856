//! What devices are plugged into, on the back end's side.

use core::fmt;

/// What the machine of the back ends does for devices; without external scripts.
pub trait Outlets {
    /// Puts a network interface into a bridge, and brings it up. If there is no interface of this name, its back end is none of Linux's, and looks after itself.
    ///
    /// # Errors
    ///
    /// [`OutletError`].
    fn plug(&self, interface: &str, bridge: &str) -> Result<(), OutletError>;

    /// Which block device is at a path.
    ///
    /// # Errors
    ///
    /// [`OutletError`].
    fn block_device(&self, path: &str) -> Result<BlockDevice, OutletError>;
}

/// A block device of Linux's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockDevice {
    /// Its driver.
    pub major: u32,
    /// Which of its driver's.
    pub minor: u32,
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
