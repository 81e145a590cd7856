//! Why nothing can be recorded.

use core::fmt;

use morgana_block::BlockError;

use crate::DiskError;

/// Why the network interface cannot be recorded as `pcap=` wants it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaptureError {
    /// There is no such disk.
    Disk(DiskError),
    /// The disk is read-only.
    ReadOnly,
    /// The disk has less than 32 KiB.
    TooSmall,
    /// The disk fails.
    Device(BlockError),
    /// No task is left for it.
    TooManyTasks,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => error.fmt(f),
            Self::ReadOnly => f.write_str("the disk is read-only"),
            Self::TooSmall => f.write_str("the disk has less than 32 KiB"),
            Self::Device(error) => error.fmt(f),
            Self::TooManyTasks => f.write_str("there are too many tasks"),
        }
    }
}

impl core::error::Error for CaptureError {}

impl From<DiskError> for CaptureError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<BlockError> for CaptureError {
    fn from(error: BlockError) -> Self {
        Self::Device(error)
    }
}
