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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// No key, an equals sign and a value.
    Syntax,
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
            // A key is letters, digits and underscores.
            write!(f, "{key}: ")?;
        }
        f.write_str(match self.mistake {
            Mistake::Syntax => "a key, an equals sign and a value are wanted",
            Mistake::Unfinished => "a text or a list has no end",
            Mistake::TooLarge => "more than 1,024 settings or items, or a list in a list",
            Mistake::UnknownKey => "the key is not known",
            Mistake::Twice => "the key is there already",
            Mistake::Missing(key) => return write!(f, "{key} is missing"),
            Mistake::NotText => "a text in quotes is wanted",
            Mistake::NotANumber => "a number is wanted",
            Mistake::NotAList => "a list is wanted",
            Mistake::OutOfRange => "the number is too small or too large",
            Mistake::BadName => "a name has 1 to 128 bytes, no slash, and is no number",
            Mistake::TooManyDevices => "a domain has at most 16 such devices",
            Mistake::UnknownPart => "a part of it is not known",
            Mistake::Part(part) => return write!(f, "{part} is missing, or not understood"),
            Mistake::Unsupported => "this toolstack cannot do that",
        })
    }
}

impl core::error::Error for ConfigError {}
