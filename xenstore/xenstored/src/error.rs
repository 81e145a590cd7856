//! Why a domain cannot be served.

use core::fmt;

use morgana_exec::TooManyTasks;
use morgana_hal::{EventError, MemoryError};
use morgana_ring::RingError;
use morgana_xenstore_wire::Errno;

/// Why a domain's ring could not be taken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntroduceError {
    /// Its page cannot be mapped.
    Memory(MemoryError),
    /// Its port cannot be connected to.
    Events(EventError),
    /// Its page is no ring.
    Ring(RingError),
    /// The daemon serves no domains.
    NoDomains,
    /// No task is left to serve it.
    TooManyTasks,
    /// It is served already.
    Served,
}

impl fmt::Display for IntroduceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(error) => error.fmt(f),
            Self::Events(error) => error.fmt(f),
            Self::Ring(error) => error.fmt(f),
            Self::NoDomains => f.write_str("domains are not served by this daemon"),
            Self::TooManyTasks => TooManyTasks.fmt(f),
            Self::Served => f.write_str("the domain is served already"),
        }
    }
}

impl core::error::Error for IntroduceError {}

impl From<MemoryError> for IntroduceError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

impl From<EventError> for IntroduceError {
    fn from(error: EventError) -> Self {
        Self::Events(error)
    }
}

impl From<RingError> for IntroduceError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}

impl From<TooManyTasks> for IntroduceError {
    fn from(_: TooManyTasks) -> Self {
        Self::TooManyTasks
    }
}

impl IntroduceError {
    /// What the client that asked is told.
    pub(crate) fn errno(self) -> Errno {
        match self {
            Self::Memory(MemoryError::OutOfMemory) => Errno::NoMemory,
            Self::TooManyTasks => Errno::NoSpace,
            _ => Errno::Invalid,
        }
    }
}
