//! Why a queue cannot be opened.

use std::fmt;

/// Why a queue cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The stream's name has characters that none may have, or none at all.
    Name,
    /// A payload or key may not have so many bytes (`MAX_PAYLOAD`, `MAX_KEY`).
    Limits,
    /// There can be no thread for it.
    Thread,
    /// No server can be reached.
    Unreachable,
    /// The server has no JetStream, or does not let us have the stream.
    Refused,
    /// A stream of this name has something else.
    Foreign,
    /// The server did not answer in time.
    TimedOut,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "no stream may have this name",
            Self::Limits => "the limits are beyond what a queue can have",
            Self::Thread => "there can be no thread for the queue",
            Self::Unreachable => "no NATS server can be reached",
            Self::Refused => "the NATS server refuses the stream",
            Self::Foreign => "the stream has something other than a queue",
            Self::TimedOut => "the NATS server does not answer",
        })
    }
}

impl std::error::Error for OpenError {}
