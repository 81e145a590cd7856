//! What a back end can break.

use core::fmt;

use morgana_ring::{RingError, SlotError};

/// The rule that the back end has broken. A front end that has met one does not use its rings any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Impossible indices on a ring.
    Ring(RingError),
    /// A response with an id that was never given out, or was answered already.
    Id(SlotError),
    /// A response to a request that has none outstanding.
    Unasked,
    /// A response with a status that blkif.h does not name.
    Status(i16),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the block back end broke the protocol: ")?;
        match self {
            Self::Ring(error) => write!(f, "ring: {error}"),
            Self::Id(error) => write!(f, "response: {error}"),
            Self::Unasked => f.write_str("response to what was not asked"),
            Self::Status(status) => write!(f, "response with status {status}"),
        }
    }
}

impl core::error::Error for Violation {}
