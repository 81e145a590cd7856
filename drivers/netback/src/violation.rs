//! What a front end can break.

use core::fmt;

use morgana_ring::RingError;

/// The rule that the front end has broken. A back end that has met one does not use its rings any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Impossible indices on the transmit ring.
    TransmitRing(RingError),
    /// Impossible indices on the receive ring.
    ReceiveRing(RingError),
    /// A transmit request whose data leaves the page.
    OutOfPage,
    /// A frame of more slots than netif.h allows.
    TooManySlots,
    /// A frame whose pieces are together longer than the frame.
    SizeMismatch,
    /// Extra info of a type that netif.h does not name.
    UnknownExtra(u8),
    /// Extra info about a large packet that names no size, or a protocol that netif.h does not name.
    Segmentation,
    /// More extra info for one frame than there are types of it.
    TooManyExtras,
    /// Extra info announced by another slot than a frame's first.
    MisplacedExtra,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the network front end broke the protocol: ")?;
        match self {
            Self::TransmitRing(error) => write!(f, "transmit ring: {error}"),
            Self::ReceiveRing(error) => write!(f, "receive ring: {error}"),
            Self::OutOfPage => f.write_str("transmit request: data leaves the page"),
            Self::TooManySlots => f.write_str("sent frame of too many slots"),
            Self::SizeMismatch => f.write_str("sent frame shorter than its pieces"),
            Self::UnknownExtra(kind) => write!(f, "extra info of unknown type {kind}"),
            Self::Segmentation => f.write_str("a large packet without size or protocol"),
            Self::TooManyExtras => f.write_str("too much extra info for one frame"),
            Self::MisplacedExtra => f.write_str("extra info announced in the middle of a frame"),
        }
    }
}

impl core::error::Error for Violation {}
