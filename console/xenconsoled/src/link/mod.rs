//! A console daemon in a domain of its own has neither files nor terminals: a helper in domain 0 has them, at the other end of a stream.

mod ends;
mod frame;
mod helper;
mod queue;

pub use ends::{Link, LinkLog, LinkTerminal};
pub use helper::Helper;

use core::fmt;

use morgana_hal::StreamError;

/// How many bytes for a terminal may be on their way, or wait at the helper.
const WINDOW: usize = 8 << 10;
/// How many typed bytes may be on their way, or wait at the daemon.
const TYPED_WINDOW: usize = 1 << 10;

/// Why a link has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// The stream has ended.
    Stream(StreamError),
    /// The other end has sent what is no frame, or more than it may.
    Breach,
    /// No further task can be had.
    TooManyTasks,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Breach => f.write_str("the other end has broken the rules of the link"),
            Self::TooManyTasks => f.write_str("no further task can be had"),
        }
    }
}

impl core::error::Error for LinkError {}

impl From<StreamError> for LinkError {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

impl From<frame::NoFrame> for LinkError {
    fn from(_: frame::NoFrame) -> Self {
        Self::Breach
    }
}
