//! What can go wrong between two ends.

use core::fmt;

use morgana_xenstore_client::{Error, KeyError};

use crate::State;

/// Why a step did not come off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum XenbusError {
    /// A key is missing or wrong.
    Key(KeyError),
    /// A request failed.
    Request(Error),
    /// The other end is closing, has closed, or is not there.
    PeerEnding(State),
    /// The device itself is gone: the toolstack has taken its keys away.
    Removed,
    /// The toolstack has given the device another peer: it is to be opened again.
    Moved,
    /// The hotplug script has failed; this is what it left in `hotplug-status`.
    Hotplug,
}

impl fmt::Display for XenbusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::PeerEnding(state) => write!(f, "the device's other end is {state}"),
            Self::Removed => f.write_str("the device was removed"),
            Self::Moved => f.write_str("the device was given another peer"),
            Self::Hotplug => f.write_str("the device's hotplug script has failed"),
        }
    }
}

impl core::error::Error for XenbusError {}

impl From<KeyError> for XenbusError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<Error> for XenbusError {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}
