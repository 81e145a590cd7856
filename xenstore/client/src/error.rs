//! What a request can fail with.

use core::fmt;

use morgana_hal::StreamError;
use morgana_xenstore_wire::{Errno, PathError, PayloadTooLong};

/// Why a request failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// xenstored refused it.
    Refused(Errno),
    /// xenstored refused it with an error that the protocol does not name.
    RefusedUnknown,
    /// No answer came in time ([`Config::request_timeout`](crate::Config::request_timeout)). It may have been carried out.
    TimedOut,
    /// The connection has ended, and does not come back.
    Closed(Closed),
    /// The path breaks the rules; nothing was sent.
    Path(PathError),
    /// Path and value are over 4,096 bytes; nothing was sent.
    TooLong,
    /// Others' changes got in the way at every attempt ([`Config::transaction_attempts`](crate::Config::transaction_attempts)).
    Contended,
    /// As many are set as may be ([`Config::watches`](crate::Config::watches)).
    TooManyWatches,
    /// The list of children is over [`Config::children_bytes`](crate::Config::children_bytes), or changes too fast to be read.
    TooManyChildren,
}

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closed {
    /// The stream ended.
    Stream(StreamError),
    /// xenstored broke the protocol.
    Protocol(Breach),
    /// The last [`Client`](crate::Client) was dropped.
    Dropped,
}

/// How xenstored broke the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    /// A payload over 4,096 bytes.
    PayloadTooLong,
    /// An answer to a request that is not under way.
    UnknownRequest,
    /// An answer to another operation than was asked for.
    WrongOperation,
    /// An answer in another transaction.
    WrongTransaction,
    /// An answer whose payload does not fit the operation.
    MalformedReply,
    /// An event whose payload is not one.
    MalformedEvent,
}

impl Error {
    /// Whether xenstored says that there is no such node.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(Errno::NotFound))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(errno) => write!(f, "xenstored refused it: {errno}"),
            Self::RefusedUnknown => f.write_str("xenstored refused it with an unknown error"),
            Self::TimedOut => f.write_str("xenstored did not answer in time"),
            Self::Closed(why) => write!(f, "the connection to xenstored has ended: {why}"),
            Self::Path(why) => why.fmt(f),
            Self::TooLong => f.write_str("path and value are too long for xenstore"),
            Self::Contended => f.write_str("others' changes got in the way at every attempt"),
            Self::TooManyWatches => f.write_str("too many watches are set"),
            Self::TooManyChildren => {
                f.write_str("the node's list of children is too long, or changes too fast")
            }
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(why) => why.fmt(f),
            Self::Protocol(why) => write!(f, "xenstored broke the protocol: {why}"),
            Self::Dropped => f.write_str("its last user is gone"),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PayloadTooLong => "a payload is over 4,096 bytes",
            Self::UnknownRequest => "it answered a request that is not under way",
            Self::WrongOperation => "it answered another operation than was asked for",
            Self::WrongTransaction => "it answered in another transaction",
            Self::MalformedReply => "an answer is malformed",
            Self::MalformedEvent => "a watch event is malformed",
        })
    }
}

impl core::error::Error for Error {}
impl core::error::Error for Closed {}
impl core::error::Error for Breach {}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

impl From<PayloadTooLong> for Error {
    fn from(_: PayloadTooLong) -> Self {
        Self::TooLong
    }
}
