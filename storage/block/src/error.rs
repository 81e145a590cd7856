//! What can go wrong on a block device.

use core::fmt;

/// Why an access failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlockError {
    /// The caller: it reaches beyond the device's end.
    OutOfRange,
    /// The caller: the buffer is not of whole sectors.
    Misaligned,
    /// The caller: the device cannot be written.
    ReadOnly,
    /// The device cannot do this.
    Unsupported,
    /// No room: a device that grows as it is written has come to its limit.
    Full,
    /// The device has failed.
    Io,
    /// The device is gone, and does not come back.
    Gone,
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "beyond the end of the block device",
            Self::Misaligned => "a block device is accessed in whole sectors",
            Self::ReadOnly => "the block device is read-only",
            Self::Unsupported => "the block device cannot do this",
            Self::Full => "the block device's memory is full",
            Self::Io => "the block device has failed",
            Self::Gone => "the block device is gone",
        })
    }
}

impl core::error::Error for BlockError {}
