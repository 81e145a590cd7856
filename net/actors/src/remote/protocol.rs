//! What both nodes mean by an actor's messages.

use alloc::vec::Vec;
use core::fmt;

use super::codec::Wire;
use super::error::Malformed;

/// A message type whose actors can be reached from other nodes. Both nodes have to mean the same by it, so it has a name and a version, which a lookup compares.
///
/// The name is to be one that no other type has, and to stay when the code is moved or renamed. The version is to be raised with each change after which a node built before
/// it would misread a message, or an answer: another number or order of variants or fields, another type of one.
pub trait Protocol: Wire {
    /// The name and the version.
    const TYPE: MessageType;
}

/// The name and version of a [`Protocol`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageType {
    /// Zeros follow the name.
    name: [u8; Self::MOST],
    len: u8,
    version: u16,
}

impl MessageType {
    /// Bytes of a name at most.
    pub const MOST: usize = 32;

    /// A type's name, of 1 to 32 printable characters of ASCII without spaces, and its version. It is for constants.
    ///
    /// # Panics
    ///
    /// If the name is another one; in a constant that is an error of the compiler.
    pub const fn new(name: &str, version: u16) -> Self {
        match Self::of(name.as_bytes(), version) {
            Some(made) => made,
            None => panic!("the name of a message type is 1 to 32 printable characters of ASCII"),
        }
    }

    const fn of(name: &[u8], version: u16) -> Option<Self> {
        if name.is_empty() || name.len() > Self::MOST {
            return None;
        }
        let mut kept = [0; Self::MOST];
        let mut at = 0;
        while at < name.len() {
            if !name[at].is_ascii_graphic() {
                return None;
            }
            kept[at] = name[at];
            at += 1;
        }
        Some(Self {
            name: kept,
            len: name.len() as u8,
            version,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        let name = self.name.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default()
    }

    /// The version.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// As frames have it: the version, a length (u8), the name.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(3 + self.name().len());
        bytes.extend(self.version.to_le_bytes());
        bytes.push(self.len);
        bytes.extend(self.name().as_bytes());
        bytes
    }

    /// Takes one from the beginning of what a peer has sent; gives what follows it, too.
    pub(crate) fn take(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let (&[low, high, len], rest) = bytes.split_first_chunk().ok_or(Malformed::Short)?;
        let (name, rest) = rest.split_at_checked(len.into()).ok_or(Malformed::Short)?;
        let made = Self::of(name, u16::from_le_bytes([low, high])).ok_or(Malformed::Value)?;
        Ok((made, rest))
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.name(), self.version)
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageType({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let made = MessageType::new("counter", 0x0102);
        let mut bytes = made.bytes();
        assert_eq!(bytes, b"\x02\x01\x07counter");
        bytes.extend(b"rest");
        assert_eq!(MessageType::take(&bytes), Ok((made, &b"rest"[..])));
        assert_eq!(
            alloc::format!("{made}, {made:?}"),
            "counter version 258, MessageType(counter version 258)"
        );
        let longest = MessageType::new("12345678901234567890123456789012", 1);
        assert_eq!(MessageType::take(&longest.bytes()), Ok((longest, &[][..])));
        let long = [&[1, 0, 33][..], &[b'a'; 33]].concat();
        for (bytes, error) in [
            (&b""[..], Malformed::Short),
            (b"\x01\x00", Malformed::Short),
            (b"\x01\x00\x02a", Malformed::Short),
            (b"\x01\x00\x00", Malformed::Value),
            (b"\x01\x00\x02a ", Malformed::Value),
            (b"\x01\x00\x02a\n", Malformed::Value),
            (b"\x01\x00\x02\xc3\xa4", Malformed::Value),
            (&long, Malformed::Value),
        ] {
            assert_eq!(MessageType::take(bytes), Err(error), "{bytes:?}");
        }
    }
}
