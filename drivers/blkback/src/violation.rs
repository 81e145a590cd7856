//! What a front end can break.

use core::fmt;

use morgana_ring::RingError;

/// The rule that the front end has broken. A back end that has met one does not use its rings any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Impossible indices on a ring.
    Ring(RingError),
    /// A request of more segments than it has room for, or than were offered.
    TooManySegments(u16),
    /// A segment that ends before it begins, or beyond its page.
    Segment {
        /// `first_sect`.
        first: u8,
        /// `last_sect`.
        last: u8,
    },
    /// An indirect request that is neither a read nor a write.
    IndirectOperation(u8),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the block front end broke the protocol: ")?;
        match self {
            Self::Ring(error) => write!(f, "ring: {error}"),
            Self::TooManySegments(count) => write!(f, "request of {count} segments"),
            Self::Segment { first, last } => {
                write!(f, "segment from sector {first} to sector {last} of a page")
            }
            Self::IndirectOperation(operation) => {
                write!(f, "indirect request for operation {operation}")
            }
        }
    }
}

impl core::error::Error for Violation {}
