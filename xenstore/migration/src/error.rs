//! What can be wrong with a stream.

use core::fmt;

/// A stream that is no state of a xenstored, or not one that can be read here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadState {
    /// Which record: the first is 1; 0 is the header.
    pub record: usize,
    /// Where the record begins, in bytes from the stream's beginning.
    pub offset: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// A rule of the format that was broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It does not begin with `xenstore`.
    Ident,
    /// A version that is not known here.
    Version(u32),
    /// Of a machine with the other byte order, or with flags that are not known here.
    Flags(u32),
    /// The stream ends before the record does.
    Truncated,
    /// The record is too short for what is in it.
    Short,
    /// A string without its NUL at the end, or with another one in it, or not UTF-8.
    Text,
    /// A permission that is none of `n`, `r`, `w`, `b`.
    Access(u8),
    /// A connection that is neither a ring nor a socket.
    ConnectionType(u16),
    /// A connection's id is 0.
    ConnectionId,
    /// More of a partial reply than there is to be sent.
    PartialReply,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ident => f.write_str("it does not begin as a state of a xenstored does"),
            Self::Version(version) => write!(f, "version {version} is not known here"),
            Self::Flags(flags) => write!(f, "flags {flags:#x} are not known here"),
            Self::Truncated => f.write_str("the stream ends before its end"),
            Self::Short => f.write_str("it is too short for what is in it"),
            Self::Text => f.write_str("a string is not UTF-8 with one NUL at its end"),
            Self::Access(letter) => write!(f, "a permission is {letter:#04x}, not n, r, w or b"),
            Self::ConnectionType(number) => write!(f, "{number} is no type of a connection"),
            Self::ConnectionId => f.write_str("a connection's id is 0"),
            Self::PartialReply => f.write_str("a partial reply is longer than all that waits"),
        }
    }
}

impl fmt::Display for BadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            record,
            offset,
            flaw,
        } = self;
        match record {
            0 => write!(f, "the header of the state: {flaw}"),
            _ => write!(f, "record {record} of the state, at byte {offset}: {flaw}"),
        }
    }
}

impl core::error::Error for BadState {}

/// A string, a list or a buffer is too long for the field that has its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something is too long for a record of the state")
    }
}

impl core::error::Error for TooLong {}
