//! Why an end is not connected to the other.

use core::fmt;

use morgana_hal::{EventError, MemoryError};
use morgana_ring::RingError;
use morgana_xenstore_client::KeyError;

use crate::XenbusError;

/// Why an end could not be set up, or not connect to the other. `U` is what a kind of device finds unsuitable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConnectError<U> {
    /// The handshake failed.
    Xenbus(XenbusError),
    /// What is shared could not be had.
    Link(LinkError),
    /// The other end is not one that a device can be had with.
    Unsuitable(U),
    /// The executor has no task left to keep the connection.
    TooManyTasks,
}

impl<U: fmt::Display> fmt::Display for ConnectError<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xenbus(error) => error.fmt(f),
            Self::Link(error) => error.fmt(f),
            Self::Unsuitable(what) => what.fmt(f),
            Self::TooManyTasks => f.write_str("no task is left to keep a device"),
        }
    }
}

impl<U: fmt::Debug + fmt::Display> core::error::Error for ConnectError<U> {}

impl<U> From<XenbusError> for ConnectError<U> {
    fn from(error: XenbusError) -> Self {
        Self::Xenbus(error)
    }
}

impl<U> From<KeyError> for ConnectError<U> {
    fn from(error: KeyError) -> Self {
        Self::Xenbus(error.into())
    }
}

impl<U> From<LinkError> for ConnectError<U> {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// Why rings and ports could not be had: a front end's own, or a back end's part in those of a front end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// Pages could not be shared, or not be mapped.
    Memory(MemoryError),
    /// An event channel could not be opened, or not be connected.
    Events(EventError),
    /// The pages are no ring.
    Ring(RingError),
    /// There is no queue, or there are more queues or larger rings than were offered.
    Queues,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(error) => write!(f, "no memory for a device: {error}"),
            Self::Events(error) => write!(f, "no event channel for a device: {error}"),
            Self::Ring(error) => write!(f, "no ring for a device: {error}"),
            Self::Queues => f.write_str("no queue, or larger ones than were offered"),
        }
    }
}

impl core::error::Error for LinkError {}

impl From<MemoryError> for LinkError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl From<EventError> for LinkError {
    fn from(error: EventError) -> Self {
        Self::Events(error)
    }
}

impl From<RingError> for LinkError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}
