//! Frames: the entries in a segment, one behind the other.
//!
//! A frame is a length (`u32`), a time (`u64`), a checksum (`u32`), all little-endian, and so many bytes. The checksum covers the one before it, so that a frame
//! counts only behind those that it was written behind: what an earlier run or lap has left on the device is never taken for one.

use alloc::vec::Vec;
use core::ops::Range;

use crc32fast::Hasher;

use crate::header::HEADER_BYTES;

/// The longest entry, in bytes.
pub const MAX_ENTRY: usize = 16 << 10;

const FRAME_BYTES: usize = 16;

/// Bytes that an entry of this length takes.
pub(crate) const fn frame_bytes(entry: usize) -> usize {
    FRAME_BYTES + entry
}

/// Where a walk over the frames of a segment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Walk {
    pub(crate) offset: usize,
    /// The checksum of the frame before.
    pub(crate) chain: u32,
    /// The number of the next entry.
    pub(crate) number: u64,
}

/// A frame that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    pub(crate) time: u64,
    /// Where the entry is in the segment.
    pub(crate) entry: Range<usize>,
}

impl Walk {
    /// At the first frame of a segment.
    pub(crate) const fn new(chain: u32, number: u64) -> Self {
        Self {
            offset: HEADER_BYTES,
            chain,
            number,
        }
    }

    /// The next frame, if there is one that counts.
    pub(crate) fn next(&mut self, segment: &[u8]) -> Option<Frame> {
        let (head, rest) = segment
            .get(self.offset..)?
            .split_first_chunk::<FRAME_BYTES>()?;
        let (len, time_and_sum) = head.split_first_chunk::<4>()?;
        let (time, sum) = time_and_sum.split_first_chunk::<8>()?;
        let (len, time) = (u32::from_le_bytes(*len), u64::from_le_bytes(*time));
        let len = usize::try_from(len)
            .ok()
            .filter(|len| (1..=MAX_ENTRY).contains(len))?;
        let chain = checksum(self.chain, time, rest.get(..len)?);
        if *sum != chain.to_le_bytes() {
            return None;
        }
        let start = self.offset + FRAME_BYTES;
        let frame = Frame {
            number: self.number,
            time,
            entry: start..start + len,
        };
        self.offset = frame.entry.end;
        self.chain = chain;
        self.number += 1;
        Some(frame)
    }

    /// Appends a frame to a segment that ends here. The entry has 1 to [`MAX_ENTRY`] bytes.
    pub(crate) fn put(&mut self, segment: &mut Vec<u8>, time: u64, entry: &[u8]) {
        self.chain = checksum(self.chain, time, entry);
        segment.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        segment.extend_from_slice(&time.to_le_bytes());
        segment.extend_from_slice(&self.chain.to_le_bytes());
        segment.extend_from_slice(entry);
        self.offset = segment.len();
        self.number += 1;
    }
}

fn checksum(chain: u32, time: u64, entry: &[u8]) -> u32 {
    let len = entry.len() as u32;
    let mut sum = Hasher::new();
    sum.update(&chain.to_le_bytes());
    sum.update(&len.to_le_bytes());
    sum.update(&time.to_le_bytes());
    sum.update(entry);
    sum.finalize()
}
