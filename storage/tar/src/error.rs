//! What can be wrong with an archive.

use core::fmt;

use morgana_block::BlockError;

/// Why a disk is not taken for an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// What is on the disk breaks a rule, at the header that begins at byte `at`.
    Broken {
        /// Bytes from the disk's beginning.
        at: u64,
        /// The rule.
        fault: Fault,
    },
    /// The disk could not be read.
    Disk(BlockError),
}

/// What is wrong with an archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// There is no ustar header.
    NotTar,
    /// The header's checksum does not fit.
    Checksum,
    /// A number is none, or too large.
    Number,
    /// The archive, or a file in it, ends beyond the device, or the zeros at its end are missing.
    Truncated,
    /// A path is empty, too long, not UTF-8, or has `..`.
    Path,
    /// A pax header has something that is no record, or too many extension headers follow each other.
    Extension,
    /// A pax header or a long name is too long.
    TooLong,
    /// A sparse file, which cannot be read.
    Sparse,
    /// There are more entries, or longer paths, than there may be.
    TooManyEntries,
}

/// Why a file could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// It is larger than the caller wants.
    TooLarge,
    /// It is a directory.
    NotAFile,
    /// The disk could not be read.
    Disk(BlockError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTar => "no header of a tar archive (ustar)",
            Self::Checksum => "a header whose checksum is wrong",
            Self::Number => "a header with a number that is none, or is too large",
            Self::Truncated => "the archive is cut off",
            Self::Path => "a path that is empty, too long, not UTF-8, or has \"..\"",
            Self::Extension => "an extension header that is broken",
            Self::TooLong => "an extension header that is too long",
            Self::Sparse => "a sparse file, which is not supported",
            Self::TooManyEntries => "too many entries",
        })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { at, fault } => write!(f, "at byte {at}: {fault}"),
            Self::Disk(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the file is too large"),
            Self::NotAFile => f.write_str("a directory has no contents"),
            Self::Disk(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}
impl core::error::Error for Fault {}
impl core::error::Error for ReadError {}

impl From<BlockError> for OpenError {
    fn from(error: BlockError) -> Self {
        Self::Disk(error)
    }
}

impl From<BlockError> for ReadError {
    fn from(error: BlockError) -> Self {
        Self::Disk(error)
    }
}
