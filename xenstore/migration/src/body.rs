//! Fields of a record's body, in little-endian order.

use alloc::vec::Vec;

use crate::{Flaw, TooLong};

/// A body that is read from front to back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Flaw::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Flaw::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Flaw> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Flaw> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Flaw> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Flaw> {
        self.array().map(u64::from_le_bytes)
    }

    /// A string of `len` bytes, the last of which is its NUL.
    pub(crate) fn string(&mut self, len: u16) -> Result<&'a str, Flaw> {
        let Some((0, text)) = self.bytes(len.into())?.split_last() else {
            return Err(Flaw::Text);
        };
        if text.contains(&0) {
            return Err(Flaw::Text);
        }
        core::str::from_utf8(text).map_err(|_| Flaw::Text)
    }

    /// All that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Appends fields.
pub(crate) trait Fields {
    fn put_u16(&mut self, number: u16);
    fn put_u32(&mut self, number: u32);
    fn put_u64(&mut self, number: u64);
    /// A string, with its NUL.
    fn put_string(&mut self, text: &str);
}

impl Fields for Vec<u8> {
    fn put_u16(&mut self, number: u16) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn put_u32(&mut self, number: u32) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn put_u64(&mut self, number: u64) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn put_string(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
        self.push(0);
    }
}

/// A length, for a field of 16 bits.
pub(crate) fn short(len: usize) -> Result<u16, TooLong> {
    u16::try_from(len).map_err(|_| TooLong)
}

/// A length, for a field of 32 bits.
pub(crate) fn long(len: usize) -> Result<u32, TooLong> {
    u32::try_from(len).map_err(|_| TooLong)
}
