//! What can go wrong between nodes.

use core::fmt;

use morgana_exec::TooManyTasks;
use morgana_hal::StreamError;

use super::protocol::MessageType;

/// What is wrong with bytes that a peer sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// A frame, or a value in it, ends before its end.
    Short,
    /// Bytes follow the end of what a frame holds.
    TooLong,
    /// A frame is said to be longer than a frame may be.
    FrameLength,
    /// There is no such kind of frame, or not at this point.
    Kind(u8),
    /// A value is none of those that it may have.
    Value,
    /// A text is not UTF-8.
    Text,
    /// A channel that there is not, or is already.
    Channel(u32),
    /// A message for which there was no credit.
    Credit(u32),
    /// An answer to a request that was never made.
    Request(u32),
}

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// The stream ended.
    Stream(StreamError),
    /// It does not speak this protocol.
    NotActors,
    /// It speaks another version of it.
    Version(u16),
    /// It is this very node.
    Itself,
    /// It broke the protocol.
    Malformed(Malformed),
    /// It said nothing for too long.
    Silent,
    /// It does not take the answers that it asked for.
    Overrun,
    /// The executor has no task left.
    NoTask,
}

/// Why a message can't be sent to another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncodeError {
    /// It is longer than a frame may be.
    TooLong,
    /// Too many requests wait for answers.
    TooManyRequests,
}

/// Why there is no address for a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupError {
    /// The peer has no actor of that name.
    Unknown,
    /// The actor of that name takes messages of another type, which is this one: another name, or another version of it.
    OtherType(MessageType),
    /// The peer, or this node, has as many channels as it may.
    TooMany,
    /// The name is empty or longer than [`RemoteLimits::name`](crate::RemoteLimits::name).
    Name,
    /// The connection is gone.
    PeerGone,
    /// The executor has no task left.
    NoTask,
}

/// Why a name can't be registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegisterError {
    /// An actor that lives has it.
    InUse,
    /// It is empty or longer than [`RemoteLimits::name`](crate::RemoteLimits::name).
    Name,
    /// There are as many names as there may be.
    TooMany,
}

impl From<Malformed> for LinkError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<StreamError> for LinkError {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

impl From<TooManyTasks> for LinkError {
    fn from(_: TooManyTasks) -> Self {
        Self::NoTask
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("a frame ends too early"),
            Self::TooLong => f.write_str("a frame goes on after its end"),
            Self::FrameLength => f.write_str("a frame is too long"),
            Self::Kind(kind) => write!(f, "a frame of kind {kind} at this point"),
            Self::Value => f.write_str("a value is out of range"),
            Self::Text => f.write_str("a text is not UTF-8"),
            Self::Channel(id) => write!(f, "a frame for channel {id} at this point"),
            Self::Credit(id) => write!(f, "more messages than allowed on channel {id}"),
            Self::Request(id) => write!(f, "an answer to request {id}, which was never made"),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::NotActors => f.write_str("the peer does not speak this protocol"),
            Self::Version(version) => write!(f, "the peer speaks version {version}"),
            Self::Itself => f.write_str("the peer has this node's own id"),
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::Silent => f.write_str("the peer has said nothing for too long"),
            Self::Overrun => f.write_str("the peer does not take its answers"),
            Self::NoTask => f.write_str("no task is left"),
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the message is longer than a frame",
            Self::TooManyRequests => "too many requests wait for answers",
        })
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the peer has no such actor",
            Self::OtherType(other) => {
                return write!(f, "the peer's actor takes messages of {other}");
            }
            Self::TooMany => "too many channels",
            Self::Name => "the name is empty or too long",
            Self::PeerGone => "the connection is gone",
            Self::NoTask => "no task is left",
        })
    }
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "the name is in use",
            Self::Name => "the name is empty or too long",
            Self::TooMany => "too many names",
        })
    }
}

impl core::error::Error for Malformed {}
impl core::error::Error for LinkError {}
impl core::error::Error for EncodeError {}
impl core::error::Error for LookupError {}
impl core::error::Error for RegisterError {}
