//! Why a request failed.

use embedded_io_async::ErrorKind;

use crate::wire::{ChunkedError, ResponseError};

/// Why a request failed. After any of these the connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The server sent what is no response.
    Response(ResponseError),
    /// The chunks of a content are malformed.
    Chunks(ChunkedError),
    /// The server sent something before it was asked.
    Unasked,
    /// The server switches to another protocol, which it was not asked to.
    Switching,
    /// More interim responses than the limit.
    TooManyInterim,
    /// The server closed before a byte of an answer. On a connection that was used before, the request may be sent again on another one, if it may be sent twice.
    Closed,
    /// The server closed within an answer.
    CutOff,
    /// The stream failed.
    Stream,
    /// The server took too long.
    TimedOut,
    /// The content has more bytes than the caller wants.
    TooLarge,
    /// There is no memory.
    NoMemory,
    /// The source of the request's content failed, or ended too early.
    Upload,
    /// A target or field that no request may have, or too many of them.
    Unfit,
    /// The last answer was not read to its end, or the server closes.
    NotIdle,
}

impl core::fmt::Display for ClientError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Response(error) => return core::fmt::Display::fmt(error, f),
            Self::Chunks(ChunkedError::Malformed) => "malformed chunked content",
            Self::Chunks(ChunkedError::TooLarge) => "too much beside the content's chunks",
            Self::Unasked => "the server sent what it was not asked for",
            Self::Switching => "the server switched to another protocol",
            Self::TooManyInterim => "too many interim responses",
            Self::Closed => "the server closed without an answer",
            Self::CutOff => "the server closed within an answer",
            Self::Stream => "stream failed",
            Self::TimedOut => "the server took too long",
            Self::TooLarge => "the content is too large",
            Self::NoMemory => "no memory for the answer",
            Self::Upload => "the request's content broke off",
            Self::Unfit => "no request may say so, or not so much",
            Self::NotIdle => "the connection can carry no other request",
        })
    }
}

impl core::error::Error for ClientError {}

impl embedded_io_async::Error for ClientError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut => ErrorKind::TimedOut,
            Self::NoMemory => ErrorKind::OutOfMemory,
            Self::Closed | Self::CutOff => ErrorKind::ConnectionAborted,
            Self::Unfit | Self::NotIdle | Self::Upload => ErrorKind::InvalidInput,
            _ => ErrorKind::InvalidData,
        }
    }
}
