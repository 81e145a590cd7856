//! Cutting a payload into its strings.

use core::fmt;
use core::str;

/// A payload that is not what its operation asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload does not fit its operation")
    }
}

impl core::error::Error for Malformed {}

/// What is left of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// A whole payload.
    pub const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// The bytes up to the next NUL, which is taken too.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if there is no NUL.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|&byte| byte == 0).ok_or(Malformed)?;
        let (bytes, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(bytes)
    }

    /// The next string.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if there is no NUL, or the bytes are not UTF-8 (all that the protocol means to carry is ASCII).
    pub fn string(&mut self) -> Result<&'a str, Malformed> {
        str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    /// The next string, which is a decimal number: digits only, in the type's range.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is not.
    pub fn number<N: str::FromStr>(&mut self) -> Result<N, Malformed> {
        let text = self.string()?;
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(Malformed);
        }
        text.parse().map_err(|_| Malformed)
    }

    /// Nothing is left.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if something is.
    pub fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// All that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
