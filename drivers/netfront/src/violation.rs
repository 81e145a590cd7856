//! What a back end can break.

use core::fmt;

use morgana_ring::{RingError, SlotError};

/// The rule that the back end has broken. A front end that has met one does not use its rings any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Impossible indices on the transmit ring.
    TransmitRing(RingError),
    /// Impossible indices on the receive ring.
    ReceiveRing(RingError),
    /// A transmit response with an id that was never given out, or was answered already.
    TransmitId(SlotError),
    /// A transmit response with a status that netif.h does not name, or that answers extra info where none was sent.
    TransmitStatus(i16),
    /// A receive response that does not stand where its request stood.
    ReceiveId,
    /// A receive response whose data leaves the page.
    ReceiveOutOfPage,
    /// A received frame of more slots than netif.h allows.
    TooManySlots,
    /// Extra info of a type that netif.h does not name.
    UnknownExtra(u8),
    /// Extra info about a large packet that names no size, or a protocol that netif.h does not name.
    Segmentation,
    /// More extra info for one frame than there are types of it.
    TooManyExtras,
    /// Extra info announced by another slot than a frame's first.
    MisplacedExtra,
    /// It takes nothing that is sent, from the first frame on.
    Deaf,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the network back end broke the protocol: ")?;
        match self {
            Self::TransmitRing(error) => write!(f, "transmit ring: {error}"),
            Self::ReceiveRing(error) => write!(f, "receive ring: {error}"),
            Self::TransmitId(error) => write!(f, "transmit response: {error}"),
            Self::TransmitStatus(status) => write!(f, "transmit response with status {status}"),
            Self::ReceiveId => f.write_str("receive response out of order"),
            Self::ReceiveOutOfPage => f.write_str("receive response: data leaves the page"),
            Self::TooManySlots => f.write_str("received frame of too many slots"),
            Self::UnknownExtra(kind) => write!(f, "extra info of unknown type {kind}"),
            Self::Segmentation => f.write_str("a large packet without size or protocol"),
            Self::TooManyExtras => f.write_str("too much extra info for one frame"),
            Self::MisplacedExtra => f.write_str("extra info announced in the middle of a frame"),
            Self::Deaf => f.write_str("it takes nothing that is sent"),
        }
    }
}

impl core::error::Error for Violation {}
