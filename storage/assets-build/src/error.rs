//! What can go wrong while a set is made.

use std::path::PathBuf;
use std::{fmt, io};

/// Why a set could not be made. It ends a build, so it says which file it is about.
#[derive(Debug)]
pub enum Error {
    /// A file or folder could not be read or written.
    Io(PathBuf, io::Error),
    /// Two files have the same path.
    Twice(String),
    /// The path does not begin with `/`, or has bytes that a request would have to escape.
    BadPath(String),
    /// The end of the name does not tell the media type.
    UnknownType(String),
    /// `SOURCE_DATE_EPOCH` is not a number of seconds.
    BadEpoch(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Twice(path) => write!(f, "{path}: two files have this path"),
            Self::BadPath(path) => write!(
                f,
                "{path}: a path begins with / and has only letters, digits, and - . _ ~ / in it"
            ),
            Self::UnknownType(path) => {
                write!(f, "{path}: the name does not tell the media type")
            }
            Self::BadEpoch(value) => {
                write!(f, "SOURCE_DATE_EPOCH={value}: not a number of seconds")
            }
        }
    }
}

impl std::error::Error for Error {}
