//! Taking numbers and texts from bytes, and appending them. Numbers are little-endian; a text has its length before it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::FormatError;

/// What is left to be read.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(FormatError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, FormatError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A text of at most `most` bytes.
    pub(crate) fn text(&mut self, most: usize) -> Result<String, FormatError> {
        let len = usize::from(self.u16()?);
        if len > most {
            return Err(FormatError::Limit);
        }
        let text = str::from_utf8(self.take(len)?).map_err(|_| FormatError::Text)?;
        Ok(text.into())
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Result<(), FormatError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(FormatError::Long)
        }
    }
}

/// Appends a text; of one that is longer than `most` bytes its beginning.
pub(crate) fn put_text(text: &str, most: usize, into: &mut Vec<u8>) {
    debug_assert!(most <= usize::from(u16::MAX));
    let text = cut(text, most);
    // No longer than `most`, which fits.
    into.extend_from_slice(&(text.len() as u16).to_le_bytes());
    into.extend_from_slice(text.as_bytes());
}

/// The beginning of a text that has at most `most` bytes, and ends with a whole character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
