//! What is wrong with a configuration.

use alloc::string::String;
use core::fmt;

/// A mistake, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The line, from 1 on; 0 if it is about the whole.
    pub line: usize,
    /// The key, if there is one on the line.
    pub key: Option<String>,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// No key, an equals sign and a value.
    Syntax,
    /// It is no TOML, for this reason.
    Toml(String),
    /// A text or a list has no end.
    Unfinished,
    /// Lists in lists, or more items or settings than anybody needs.
    TooLarge,
    /// The key is not known.
    UnknownKey,
    /// The key is there already.
    Twice,
    /// There must be this key.
    Missing(&'static str),
    /// A text is wanted.
    NotText,
    /// A number is wanted.
    NotANumber,
    /// A list is wanted.
    NotAList,
    /// The number is too small or too large.
    OutOfRange,
    /// A name has 1 to 128 bytes, no slash in it, and is no number.
    BadName,
    /// Words that come to a command line have no control characters.
    BadWords,
    /// More devices than a domain may have: 16 of a kind.
    TooManyDevices,
    /// A part of a device's text is not known.
    UnknownPart,
    /// A part of a device's text is missing, or not understood.
    Part(&'static str),
    /// This toolstack cannot do that.
    Unsupported,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if let Some(key) = &self.key {
            // A key is made of visible ASCII characters.
            write!(f, "{key}: ")?;
        }
        self.mistake.fmt(f)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "a key, an equals sign and a value are wanted",
            Self::Toml(why) => why,
            Self::Unfinished => "a text or a list has no end",
            Self::TooLarge => "more than 1,024 settings or items, or a list in a list",
            Self::UnknownKey => "the key is not known",
            Self::Twice => "the key is there already",
            Self::Missing(key) => return write!(f, "{key} is missing"),
            Self::NotText => "a text in quotes is wanted",
            Self::NotANumber => "a number is wanted",
            Self::NotAList => "a list is wanted",
            Self::OutOfRange => "the number is too small or too large",
            Self::BadName => "a name has 1 to 128 bytes, no slash, and is no number",
            Self::BadWords => "words of a command line have no control characters",
            Self::TooManyDevices => "a domain has at most 16 such devices",
            Self::UnknownPart => "a part of it is not known",
            Self::Part(part) => return write!(f, "{part} is missing, or not understood"),
            Self::Unsupported => "this toolstack cannot do that",
        })
    }
}

impl core::error::Error for ConfigError {}
