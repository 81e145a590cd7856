//! The first sector of a half.

use crc32fast::hash;

const MAGIC: [u8; 8] = *b"mrgnjob1";

/// Bytes of a header; the rest of its sector is zero.
pub(crate) const HEADER_BYTES: usize = 64;
const COVERED: usize = 56;

/// Whether what is behind a header counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// If the other half is not newer.
    Live,
    /// Not any more: a newer half was durable when this was written.
    Retired,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) sector_size: u64,
    /// Sectors of a half.
    pub(crate) half: u64,
    /// Of two halves that count the higher one is the queue.
    pub(crate) generation: u64,
    /// What the half's batches begin with: nobody who puts jobs in can guess it.
    pub(crate) nonce: u64,
    /// How many batches were there before the header was.
    pub(crate) snapshot: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let numbers = [
            match self.kind {
                Kind::Live => 1,
                Kind::Retired => 2,
            },
            self.sector_size,
            self.half,
            self.generation,
            self.nonce,
            self.snapshot,
        ];
        for (place, number) in bytes[8..COVERED].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = hash(&bytes[..COVERED]);
        bytes[COVERED..COVERED + 4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// `None` if this is no header.
    pub(crate) fn decode(sector: &[u8]) -> Option<Self> {
        let bytes = sector.first_chunk::<HEADER_BYTES>()?;
        let (covered, sum) = bytes.split_at(COVERED);
        if covered[..8] != MAGIC || sum[..4] != hash(covered).to_le_bytes() {
            return None;
        }
        let number = |index: usize| {
            let place = covered[8 + 8 * index..].first_chunk();
            place.map(|bytes| u64::from_le_bytes(*bytes))
        };
        Some(Self {
            kind: match number(0)? {
                1 => Kind::Live,
                2 => Kind::Retired,
                _ => return None,
            },
            sector_size: number(1)?,
            half: number(2)?,
            generation: number(3)?,
            nonce: number(4)?,
            snapshot: number(5)?,
        })
    }
}

/// Whether somebody has begun to write a header here.
pub(crate) fn begins(sector: &[u8]) -> bool {
    sector.starts_with(&MAGIC)
}
