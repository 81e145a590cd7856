//! Why a vchan cannot be made.

use core::fmt;

use morgana_hal::{EventError, MemoryError};
use morgana_xenstore_client::{Error, KeyError};

/// Why a vchan cannot be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VchanError {
    /// A key of the server's is missing or makes no sense.
    Key(KeyError),
    /// xenstore refused a request.
    Xenstore(Error),
    /// Pages cannot be shared or mapped.
    Memory(MemoryError),
    /// The event channel cannot be opened or bound.
    Channel(EventError),
    /// A ring of more than 1 MiB is asked for.
    TooLarge,
    /// The server says that there are rings such as there cannot be: their orders, the left one in the lower half.
    BadOrders(u32),
    /// The server has larger rings than are taken up here: their orders, as above.
    NotWithin(u32),
    /// The server has closed it already.
    Closed,
}

impl fmt::Display for VchanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Xenstore(error) => error.fmt(f),
            Self::Memory(error) => write!(f, "the vchan's pages: {error}"),
            Self::Channel(error) => write!(f, "the vchan's event channel: {error}"),
            Self::TooLarge => f.write_str("a vchan's ring has at most 1 MiB"),
            Self::BadOrders(word) => write!(
                f,
                "the server says that its rings have the orders {} and {}",
                word & 0xffff,
                word >> 16
            ),
            Self::NotWithin(word) => write!(
                f,
                "rings of the orders {} and {} are larger than are taken up here",
                word & 0xffff,
                word >> 16
            ),
            Self::Closed => f.write_str("the server has closed the vchan"),
        }
    }
}

impl core::error::Error for VchanError {}

impl From<KeyError> for VchanError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<Error> for VchanError {
    fn from(error: Error) -> Self {
        Self::Xenstore(error)
    }
}

impl From<MemoryError> for VchanError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl From<EventError> for VchanError {
    fn from(error: EventError) -> Self {
        Self::Channel(error)
    }
}
