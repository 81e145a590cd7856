//! Why the ends of a device are not connected.

use core::fmt;

use crate::State;

/// Why there is no connection. `V` is what the other end can break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parted<V> {
    /// No other end has connected yet.
    NotYet,
    /// The other end has closed, or is gone.
    PeerLeft(State),
    /// The other end broke the protocol.
    Violation(V),
    /// The toolstack has given the front end another back end.
    Moved,
    /// The toolstack has taken the device away. A back end that is told so, or is not wanted any more, does not come back.
    Removed,
    /// The device's keys in xenstore cannot be read, or make no sense.
    Xenstore,
    /// The device is closed.
    Abandoned,
}

impl<V> Parted<V> {
    /// Whether somebody should look into it.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self, Self::Violation(_) | Self::Xenstore)
    }
}

impl<V: fmt::Display> fmt::Display for Parted<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet => f.write_str("the other end has not connected yet"),
            Self::PeerLeft(state) => write!(f, "the other end is {state}"),
            Self::Violation(violation) => violation.fmt(f),
            Self::Moved => f.write_str("the device was given another back end"),
            Self::Removed => f.write_str("the device was removed"),
            Self::Xenstore => f.write_str("the device's keys are unreadable"),
            Self::Abandoned => f.write_str("the device was closed"),
        }
    }
}
