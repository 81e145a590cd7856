//! A header block (POSIX.1-2017, pax, "ustar Interchange Format").

use crate::Fault;

/// Bytes in a block: headers are one, contents are padded to whole ones.
pub(crate) const BLOCK: usize = 512;

mod field {
    use core::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHKSUM: Range<usize> = 148..156;
    pub(super) const TYPEFLAG: usize = 156;
    pub(super) const MAGIC: Range<usize> = 257..262;
    /// A zero byte in ustar, a space in GNU's own format, which has other things where ustar has the prefix.
    pub(super) const MAGIC_END: usize = 262;
    pub(super) const PREFIX: Range<usize> = 345..500;
}

/// What a header says that comes before an entry or an extension.
pub(crate) struct Header<'a>(&'a [u8; BLOCK]);

/// What follows a header (`typeflag`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    File,
    Directory,
    /// A pax header for the next entry.
    Pax,
    /// A pax header for all entries from here on.
    PaxGlobal,
    /// GNU: the next entry's path.
    LongName,
    /// GNU: where the next link leads to.
    LongLink,
    /// GNU: a file with holes, whose header is followed by more blocks than its size tells.
    Sparse,
    /// A link, a device, a pipe: something without contents.
    Empty,
    /// Something unknown, which is like a file for those who do not know it.
    Other,
}

impl<'a> Header<'a> {
    /// Looks at a block; `None` if it is all zeros.
    pub(crate) fn parse(block: &'a [u8; BLOCK]) -> Result<Option<Self>, Fault> {
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        if &block[field::MAGIC] != b"ustar" {
            return Err(Fault::NotTar);
        }
        // The sum of all bytes, with spaces for its own field.
        let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
        let actual =
            sum(block) - sum(&block[field::CHKSUM]) + field::CHKSUM.len() as u64 * u64::from(b' ');
        if number(&block[field::CHKSUM]) != Ok(actual) {
            return Err(Fault::Checksum);
        }
        Ok(Some(Self(block)))
    }

    /// Bytes of contents. What has none may say something else all the same: some write a link's target's size.
    pub(crate) fn size(&self) -> Result<u64, Fault> {
        match self.kind() {
            Type::Empty | Type::Directory => Ok(0),
            _ => number(&self.0[field::SIZE]),
        }
    }

    /// Seconds since 1970; 0 if it says something else.
    pub(crate) fn modified(&self) -> u64 {
        number(&self.0[field::MTIME]).unwrap_or(0)
    }

    pub(crate) fn kind(&self) -> Type {
        match self.0[field::TYPEFLAG] {
            // A directory of old tars has no type but a name with a slash; none of them writes "ustar".
            0 | b'0' | b'7' => Type::File,
            b'5' => Type::Directory,
            b'x' => Type::Pax,
            b'g' => Type::PaxGlobal,
            b'L' => Type::LongName,
            b'K' => Type::LongLink,
            b'S' => Type::Sparse,
            b'1'..=b'4' | b'6' => Type::Empty,
            _ => Type::Other,
        }
    }

    /// The path's two parts, of which the first may be empty.
    pub(crate) fn path(&self) -> (&'a [u8], &'a [u8]) {
        let prefix = match self.0[field::MAGIC_END] {
            0 => until_zero(&self.0[field::PREFIX]),
            _ => &[],
        };
        (prefix, until_zero(&self.0[field::NAME]))
    }
}

/// A field up to its first zero byte, if there is one.
pub(crate) fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A number: octal digits between spaces and zeros or, as GNU writes large ones, a first byte of 0x80 before big-endian bytes.
fn number(field: &[u8]) -> Result<u64, Fault> {
    if let Some((&0x80, bytes)) = field.split_first() {
        let (high, low) = bytes.split_at(bytes.len().saturating_sub(8));
        if high.iter().any(|&byte| byte != 0) {
            return Err(Fault::Number);
        }
        return Ok(low
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)));
    }
    let digits = until_zero(field).trim_ascii();
    // At most 12 digits of three bits.
    digits.iter().try_fold(0, |number, &digit| match digit {
        b'0'..=b'7' => Ok(number << 3 | u64::from(digit - b'0')),
        _ => Err(Fault::Number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_both_forms() {
        for (field, expected) in [
            (&b"0000644\0"[..], Ok(0o644)),
            (b"   644 \0", Ok(0o644)),
            (b"77777777777\0", Ok(0o77_777_777_777)),
            (b"777777777777", Ok(0o777_777_777_777)),
            (b"", Ok(0)),
            (b"\0\0\0\0", Ok(0)),
            (b"8", Err(Fault::Number)),
            (b"-1", Err(Fault::Number)),
            (b"1 2", Err(Fault::Number)),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Ok(0x2_0000_0000)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", Err(Fault::Number)),
            // A negative one.
            (b"\xff\xff\xff\xff", Err(Fault::Number)),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
