//! What a file holds, and how the image has it.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// The header of a gzip member without optional fields, and what stands behind its data (RFC 1952, section 2.3): a checksum and the length.
const GZIP_HEADER: usize = 10;
const GZIP_TRAILER: usize = 8;

/// The content of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// As it is.
    Plain(&'static [u8]),
    /// Compressed when the image was built, and in no other form.
    Packed(Packed),
}

/// Compressed forms of a content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed {
    /// How many bytes the content has.
    pub length: usize,
    /// In the gzip format: one member without optional fields.
    pub gzip: Encoded,
    /// In the brotli format (RFC 7932), where that is shorter.
    pub brotli: Option<Encoded>,
}

/// A compressed form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// The entity tag of this form: each has one of its own.
    pub etag: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

impl Content {
    /// How many bytes the content has.
    pub const fn len(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Packed(packed) => packed.length,
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of the image it takes.
    pub fn stored_bytes(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Packed(packed) => {
                packed.gzip.bytes.len() + packed.brotli.map_or(0, |brotli| brotli.bytes.len())
            }
        }
    }

    /// The content as it is. What is packed is unpacked on the heap, which takes its length, and some 10 KiB until this returns.
    ///
    /// # Errors
    ///
    /// [`UnpackError`].
    pub fn unpack(&self) -> Result<Cow<'static, [u8]>, UnpackError> {
        match self {
            Self::Plain(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Packed(packed) => packed.unpack().map(Cow::Owned),
        }
    }
}

impl Packed {
    fn unpack(&self) -> Result<Vec<u8>, UnpackError> {
        let member = self.gzip.bytes;
        let end = member.len().saturating_sub(GZIP_TRAILER);
        let data = member.get(GZIP_HEADER..end).ok_or(UnpackError::Damaged)?;
        let mut content = Vec::new();
        // Kept in a vector because that one can fail to be made.
        let mut state = Vec::new();
        let room = content.try_reserve_exact(self.length);
        room.and_then(|()| state.try_reserve_exact(1))
            .map_err(|_| UnpackError::NoMemory)?;
        content.resize(self.length, 0);
        state.push(DecompressorOxide::new());
        let whole = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, _, written) = decompress(&mut state[0], data, &mut content, 0, whole);
        if status == TINFLStatus::Done && written == self.length {
            Ok(content)
        } else {
            Err(UnpackError::Damaged)
        }
    }
}

/// Why a content cannot be had as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnpackError {
    /// There is no memory for it.
    NoMemory,
    /// Its compressed form is not what the build has made.
    Damaged,
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMemory => "no memory to unpack it",
            Self::Damaged => "the compressed content is damaged",
        })
    }
}

impl core::error::Error for UnpackError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hello hello hello hello` by gzip -9n.
    static MEMBER: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27,
        1, 0xe3, 0x51, 0x3d, 0x8d, 0x17, 0, 0, 0,
    ];

    const fn packed(length: usize, bytes: &'static [u8]) -> Content {
        Content::Packed(Packed {
            length,
            gzip: Encoded { etag: "g", bytes },
            brotli: None,
        })
    }

    #[test]
    fn what_is_packed_comes_out_as_it_went_in() {
        let content = packed(23, MEMBER);
        assert_eq!(
            content.unpack().as_deref(),
            Ok(&b"hello hello hello hello"[..])
        );
        assert_eq!((content.len(), content.stored_bytes()), (23, 28));
        let plain = Content::Plain(b"abc");
        assert_eq!(plain.unpack(), Ok(Cow::Borrowed(&b"abc"[..])));
        assert_eq!((plain.len(), plain.stored_bytes()), (3, 3));
    }

    #[test]
    fn another_length_or_a_cut_is_noticed() {
        let damaged = Err(UnpackError::Damaged);
        for length in [0, 22, 24, 1000] {
            assert_eq!(packed(length, MEMBER).unpack(), damaged, "{length}");
        }
        for cut in 0..MEMBER.len() - 1 {
            assert_eq!(packed(23, &MEMBER[..cut]).unpack(), damaged, "{cut}");
        }
    }

    #[test]
    fn a_content_that_does_not_fit_is_an_error() {
        let content = packed(isize::MAX as usize, MEMBER);
        assert_eq!(content.unpack(), Err(UnpackError::NoMemory));
    }
}
