//! Why a connection ended.

use super::BodyError;
use crate::wire::{HeadError, Status};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed it between requests.
    ClosedByClient,
    /// The client closed it within a request.
    CutOff,
    /// It was closed after an answer, because the client asked for that or because of [`Limits::requests`].
    ///
    /// [`Limits::requests`]: super::Limits::requests
    Finished,
    /// It was silent for too long.
    Idle,
    /// There were too many connections.
    Refused,
    /// A request's head was refused.
    BadHead(HeadError),
    /// A request's body was refused.
    BadBody(BodyError),
    /// A request's head took too long.
    HeadTimeout,
    /// The client did not read its answer.
    WriteTimeout,
    /// A content that is made while it is sent did not come to its end.
    Unfinished,
    /// There was no memory, or no large block, for a request.
    Exhausted,
    /// The stream failed.
    Stream,
}

impl End {
    /// The status with which the client is told before the connection closes, if it is told.
    pub(super) const fn status(self) -> Option<Status> {
        match self {
            Self::BadHead(error) => Some(error.status()),
            Self::BadBody(error) => error.status(),
            Self::HeadTimeout => Some(Status::REQUEST_TIMEOUT),
            Self::Exhausted | Self::Refused => Some(Status::SERVICE_UNAVAILABLE),
            _ => None,
        }
    }
}

impl core::fmt::Display for End {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::BadHead(error) => core::fmt::Display::fmt(error, formatter),
            Self::BadBody(error) => core::fmt::Display::fmt(error, formatter),
            Self::ClosedByClient => formatter.write_str("closed by the client"),
            Self::CutOff => formatter.write_str("cut off by the client within a request"),
            Self::Finished => formatter.write_str("closed after the last answer"),
            Self::Idle => formatter.write_str("idle for too long"),
            Self::Refused => formatter.write_str("too many connections"),
            Self::HeadTimeout => formatter.write_str("request head took too long"),
            Self::WriteTimeout => formatter.write_str("client does not read"),
            Self::Unfinished => formatter.write_str("a content was not sent to its end"),
            Self::Exhausted => formatter.write_str("no memory for the request"),
            Self::Stream => formatter.write_str("stream failed"),
        }
    }
}
