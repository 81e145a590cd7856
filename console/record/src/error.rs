//! What is wrong with bytes that are to be a record, or a message about some.

use core::fmt;

/// Why bytes make no sense. The peer broke the format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormatError {
    /// They end too early.
    Short,
    /// There are more than the format has.
    Long,
    /// A version that is not known.
    Version(u8),
    /// A kind of message that is not known, or not at this place.
    Kind(u8),
    /// A number that none of the format's words has.
    Word(u8),
    /// A text is not UTF-8.
    Text,
    /// A length is over its limit.
    Limit,
    /// They do not begin as a connection of this protocol does.
    Magic,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("a message ends too early"),
            Self::Long => f.write_str("a message is longer than its content"),
            Self::Version(version) => write!(f, "version {version} of the format is not known"),
            Self::Kind(kind) => write!(f, "a message of kind {kind} has no place here"),
            Self::Word(word) => write!(f, "the number {word} stands for nothing here"),
            Self::Text => f.write_str("a text is not UTF-8"),
            Self::Limit => f.write_str("a length is over its limit"),
            Self::Magic => f.write_str("this is not a connection to a logger"),
        }
    }
}

impl core::error::Error for FormatError {}
