//! Batches on the device: 32 bytes (the half's nonce, the batch's sequence, the time, each `u64`; its length and a checksum, each `u32`), its records, and
//! zeros to the end of the sector. The checksum covers all but itself.

use alloc::vec::Vec;

use crc32fast::Hasher;

use crate::record::MAX_BATCH;

pub(crate) const FRAME_BYTES: usize = 32;

/// The first bytes of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) nonce: u64,
    pub(crate) sequence: u64,
    pub(crate) time: u64,
    pub(crate) len: usize,
    sum: u32,
}

impl Frame {
    /// `None` if this cannot be one of a half with this nonce.
    pub(crate) fn decode(bytes: &[u8], nonce: u64) -> Option<Self> {
        let bytes = bytes.first_chunk::<FRAME_BYTES>()?;
        let long = |at: usize| bytes[at..].first_chunk().map(|b| u64::from_le_bytes(*b));
        let short = |at: usize| bytes[at..].first_chunk().map(|b| u32::from_le_bytes(*b));
        let frame = Self {
            nonce: long(0)?,
            sequence: long(8)?,
            time: long(16)?,
            len: short(24)? as usize,
            sum: short(28)?,
        };
        (frame.nonce == nonce && (1..=MAX_BATCH).contains(&frame.len)).then_some(frame)
    }

    /// Whether these are its records.
    pub(crate) fn fits(&self, records: &[u8]) -> bool {
        sum(self.nonce, self.sequence, self.time, records) == self.sum
    }

    /// Bytes on a device.
    pub(crate) fn size(len: usize, sector_size: usize) -> usize {
        (FRAME_BYTES + len).next_multiple_of(sector_size)
    }
}

/// A batch as it is written.
pub(crate) fn encode(
    nonce: u64,
    sequence: u64,
    time: u64,
    records: &[u8],
    sector_size: usize,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(Frame::size(records.len(), sector_size));
    for number in [nonce, sequence, time] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&(records.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&sum(nonce, sequence, time, records).to_le_bytes());
    bytes.extend_from_slice(records);
    bytes.resize(Frame::size(records.len(), sector_size), 0);
    bytes
}

fn sum(nonce: u64, sequence: u64, time: u64, records: &[u8]) -> u32 {
    let mut sum = Hasher::new();
    for number in [nonce, sequence, time, records.len() as u64] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(records);
    sum.finalize()
}
