//! How a segment begins.

use crc32fast::hash;

use crate::Span;

/// Bytes of a segment.
pub const SEGMENT_BYTES: usize = 64 << 10;
/// Segments of a journal at most: 1 GiB. What a device has beyond is not used.
pub const MAX_SEGMENTS: usize = 16_384;

/// Bytes of a header, with zeros at the end. A sector has at least 512.
pub(crate) const HEADER_BYTES: usize = 64;

/// "Morgana's journal, version 1".
const MAGIC: [u8; 8] = *b"mjournl1";
/// How many bytes the checksum covers.
const COVERED: usize = 56;

/// A segment's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// Grows by one from segment to segment.
    pub(crate) sequence: u64,
    /// The number of the segment's first entry.
    pub(crate) first: u64,
    /// Makes checksums of this segment differ from those of others.
    pub(crate) nonce: u64,
    /// The times of the segment before.
    pub(crate) before: Span,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let numbers = [
            SEGMENT_BYTES as u64,
            self.sequence,
            self.first,
            self.nonce,
            self.before.first,
            self.before.last,
        ];
        for (place, number) in bytes[8..COVERED].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = hash(&bytes[..COVERED]);
        bytes[COVERED..COVERED + 4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// `None` if this is no header.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
        let (covered, rest) = bytes.split_at(COVERED);
        let sum = hash(covered);
        if covered[..8] != MAGIC || rest[..4] != sum.to_le_bytes() {
            return None;
        }
        let mut numbers = covered[8..].chunks_exact(8).map(|chunk| {
            chunk
                .iter()
                .rev()
                .fold(0, |number, &byte| number << 8 | u64::from(byte))
        });
        let mut number = || numbers.next();
        if number()? != SEGMENT_BYTES as u64 {
            return None;
        }
        Some(Self {
            sequence: number()?,
            first: number()?,
            nonce: number()?,
            before: Span {
                first: number()?,
                last: number()?,
            },
        })
    }

    /// What the checksum of the segment's first frame begins with: the header's own. (One over a header with its checksum would be the same for all.)
    pub(crate) fn chain(&self) -> u32 {
        hash(&self.encode()[..COVERED])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_no_bit_may_change() {
        let header = Header {
            sequence: 7,
            first: 1 << 40,
            nonce: u64::MAX,
            before: Span { first: 3, last: 4 },
        };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        let next = Header {
            sequence: 8,
            ..header
        };
        assert_ne!(header.chain(), next.chain());
        for bit in 0..(COVERED + 4) * 8 {
            let mut changed = bytes;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&changed), None, "bit {bit}");
        }
        assert_eq!(Header::decode(&bytes[..HEADER_BYTES - 1]), None);
    }

    #[test]
    fn the_checksum_is_the_one_of_zip() {
        assert_eq!(hash(b"123456789"), 0xcbf4_3926);
    }
}
