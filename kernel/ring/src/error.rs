//! What can go wrong on a ring, and what its methods answer.

use core::fmt;

/// The peer broke the ring's rules, or the ring cannot exist. A ring that has once answered so answers the same ever after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingError {
    /// The front end took back requests: `req_prod` went backwards.
    RequestsWentBack,
    /// The front end claims more requests than there are free entries.
    TooManyRequests,
    /// The back end took back responses: `rsp_prod` went backwards.
    ResponsesWentBack,
    /// The back end claims more responses than there are requests without one.
    TooManyResponses,
    /// Not one entry fits into the pages.
    NoRoom,
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RequestsWentBack => "the front end's req_prod went backwards",
            Self::TooManyRequests => {
                "the front end's req_prod claims more requests than there are free entries"
            }
            Self::ResponsesWentBack => "the back end's rsp_prod went backwards",
            Self::TooManyResponses => {
                "the back end's rsp_prod claims more responses than there are unanswered requests"
            }
            Self::NoRoom => "not one ring entry fits into the pages",
        })
    }
}

impl core::error::Error for RingError {}

/// All entries are in use, or on a [`BackRing`](crate::BackRing) there is no request that has no response yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RingFull;

impl fmt::Display for RingFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no ring entry is free")
    }
}

impl core::error::Error for RingFull {}

/// Whether the peer waits for a notification of what was published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a peer that waits and is not notified waits for ever"]
pub enum Notify {
    /// It does: notify it, once for all rings that share an event channel.
    Needed,
    /// It is at work already and will see what was published.
    NotNeeded,
}

impl Notify {
    /// Whether it is [`Needed`](Self::Needed).
    pub const fn is_needed(self) -> bool {
        matches!(self, Self::Needed)
    }

    /// Needed if one of both is: for rings that share an event channel.
    pub const fn or(self, other: Self) -> Self {
        match self {
            Self::Needed => Self::Needed,
            Self::NotNeeded => other,
        }
    }
}

/// What was on the ring when the wish to be notified had been written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "sleeping although there is work may mean to sleep for ever"]
pub enum Armed {
    /// Nothing (or less than was asked for): an event will come, so one may sleep.
    Idle,
    /// Something came meanwhile: look again before sleeping.
    Work,
}
