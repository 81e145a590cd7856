//! The states of a device's ends (io/xenbus.h, `enum xenbus_state`).

use core::fmt;

/// How far one end is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum State {
    /// There is no state: the end is not there (any more).
    Unknown = 0,
    /// It has begun.
    Initialising = 1,
    /// A back end: its features are written, and it waits for the front end's keys.
    InitWait = 2,
    /// Its keys are written, and it waits for the other end.
    Initialised = 3,
    /// It works.
    Connected = 4,
    /// It wants to end.
    Closing = 5,
    /// It has ended.
    Closed = 6,
    /// It changes while it works.
    Reconfiguring = 7,
    /// It has changed.
    Reconfigured = 8,
}

impl State {
    /// All states, by number.
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Initialising,
        Self::InitWait,
        Self::Initialised,
        Self::Connected,
        Self::Closing,
        Self::Closed,
        Self::Reconfiguring,
        Self::Reconfigured,
    ];

    /// The states of a front end whose keys are written.
    pub const READY_FRONTEND: [Self; 2] = [Self::Initialised, Self::Connected];

    /// The number that stands in the key `state`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The state with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether the end works, perhaps while it changes.
    pub const fn is_connected(self) -> bool {
        matches!(
            self,
            Self::Connected | Self::Reconfiguring | Self::Reconfigured
        )
    }

    /// Whether the end has ended, or is about to, or is not there.
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Closing | Self::Closed | Self::Unknown)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Initialising => "initialising",
            Self::InitWait => "waiting to initialise",
            Self::Initialised => "initialised",
            Self::Connected => "connected",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Reconfiguring => "reconfiguring",
            Self::Reconfigured => "reconfigured",
        })
    }
}
