//! What can go wrong with a journal.

use core::fmt;

use morgana_block::BlockError;

/// Why a journal cannot be opened, written or read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JournalError {
    /// The device is smaller than two segments.
    TooSmall,
    /// The device has no journal, and begins with something else than zeros.
    Foreign,
    /// The caller: an entry has 1 to [`MAX_ENTRY`](crate::MAX_ENTRY) bytes.
    Size,
    /// The device.
    Block(BlockError),
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall => f.write_str("a journal needs a disk of at least 128 KiB"),
            Self::Foreign => f.write_str(
                "the disk holds something else than a journal: give an empty one, whose beginning is zero",
            ),
            Self::Size => f.write_str("an entry of a journal has 1 to 16,384 bytes"),
            Self::Block(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JournalError {}

impl From<BlockError> for JournalError {
    fn from(error: BlockError) -> Self {
        Self::Block(error)
    }
}
