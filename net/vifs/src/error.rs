//! Why an interface, or all of them, are not served.

use alloc::string::String;
use core::fmt;

use morgana_netback::ConnectError;
use morgana_xenstore_client::{Error, KeyError};

/// Why interfaces are no longer served: the connection to xenstored failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServeError(pub Error);

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no further network interfaces are served: {}", self.0)
    }
}

impl core::error::Error for ServeError {}

/// Why one interface is not served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// A key of the toolstack is missing or wrong.
    Key(KeyError),
    /// The back end could not be opened.
    Device(ConnectError),
    /// It did not become a port of its bridge; this is why.
    Bridge(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Device(error) => error.fmt(f),
            Self::Bridge(error) => f.write_str(error),
        }
    }
}

impl core::error::Error for Refused {}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<ConnectError> for Refused {
    fn from(error: ConnectError) -> Self {
        Self::Device(error)
    }
}
