//! A disk in memory.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::cell::RefCell;
use core::fmt;

use crate::{BlockDevice, BlockError, Discard, Geometry, GeometryError, Writes};

/// A RAM disk takes memory in pieces of this many bytes.
pub const CHUNK_BYTES: usize = 16 * 1024;

/// A disk in memory. It takes memory only for what was written and not discarded, and no more than it was given.
pub struct RamDisk {
    geometry: Geometry,
    /// How many chunks it may hold.
    limit: usize,
    /// What is not here is zero.
    chunks: RefCell<BTreeMap<u64, Box<[u8]>>>,
}

impl RamDisk {
    /// A disk full of zeros that may take memory for all its sectors.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] if there can be no such disk.
    pub fn new(sector_size: u32, sectors: u64) -> Result<Self, GeometryError> {
        Self::bounded(sector_size, sectors, u64::MAX)
    }

    /// As [`new`](Self::new), with at most `memory` bytes for sectors: a write that needs more is [`BlockError::Full`].
    ///
    /// # Errors
    ///
    /// [`GeometryError`] if there can be no such disk.
    pub fn bounded(sector_size: u32, sectors: u64, memory: u64) -> Result<Self, GeometryError> {
        let geometry = Geometry::new(sector_size, sectors, Writes::Allowed)?;
        Ok(Self {
            geometry,
            limit: usize::try_from(memory / CHUNK_BYTES as u64).unwrap_or(usize::MAX),
            chunks: RefCell::default(),
        })
    }

    /// Bytes of memory in use for sectors.
    pub fn memory(&self) -> usize {
        self.chunks.borrow().len() * CHUNK_BYTES
    }

    /// Copies out of the chunks.
    fn fill(&self, start: u64, into: &mut [u8]) {
        let chunks = self.chunks.borrow();
        for (chunk, offset, piece) in Pieces::new(start, into.len()) {
            let piece = &mut into[piece];
            match chunks.get(&chunk) {
                Some(bytes) => piece.copy_from_slice(&bytes[offset..offset + piece.len()]),
                None => piece.fill(0),
            }
        }
    }

    /// Copies into the chunks, and makes those that are missing.
    fn store(&self, start: u64, from: &[u8]) -> Result<(), BlockError> {
        let mut chunks = self.chunks.borrow_mut();
        for (chunk, offset, piece) in Pieces::new(start, from.len()) {
            let piece = &from[piece];
            if !chunks.contains_key(&chunk) {
                if piece.iter().all(|&byte| byte == 0) {
                    continue;
                }
                if chunks.len() >= self.limit {
                    return Err(BlockError::Full);
                }
                chunks.insert(chunk, alloc::vec![0; CHUNK_BYTES].into());
            }
            if let Some(bytes) = chunks.get_mut(&chunk) {
                bytes[offset..offset + piece.len()].copy_from_slice(piece);
            }
        }
        Ok(())
    }

    /// Zeros, and gives back the chunks that are covered whole.
    fn forget(&self, start: u64, len: u64) {
        let mut chunks = self.chunks.borrow_mut();
        let end = start + len;
        let chunk_bytes = CHUNK_BYTES as u64;
        let (first, last) = (start / chunk_bytes, end.div_ceil(chunk_bytes));
        let covered = |chunk: u64| {
            let from = start.max(chunk * chunk_bytes) - chunk * chunk_bytes;
            let to = end.min((chunk + 1) * chunk_bytes) - chunk * chunk_bytes;
            // Both are at most CHUNK_BYTES.
            from as usize..to as usize
        };
        // By what there is, not by what is named: a discard may name the whole of a large disk.
        chunks.retain(|&chunk, bytes| {
            if chunk < first || chunk >= last {
                return true;
            }
            let range = covered(chunk);
            bytes[range.clone()].fill(0);
            range.len() < CHUNK_BYTES
        });
    }
}

/// The chunks that a range of bytes lies in: the chunk, where in it, and which part of the range.
struct Pieces {
    start: u64,
    done: usize,
    len: usize,
}

impl Pieces {
    fn new(start: u64, len: usize) -> Self {
        Self {
            start,
            done: 0,
            len,
        }
    }
}

impl Iterator for Pieces {
    type Item = (u64, usize, core::ops::Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done == self.len {
            return None;
        }
        let at = self.start + self.done as u64;
        // Less than CHUNK_BYTES, so the cast loses nothing.
        let offset = (at % CHUNK_BYTES as u64) as usize;
        let from = self.done;
        self.done += (self.len - from).min(CHUNK_BYTES - offset);
        Some((at / CHUNK_BYTES as u64, offset, from..self.done))
    }
}

impl BlockDevice for RamDisk {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    async fn read(&self, sector: u64, into: &mut [u8]) -> Result<(), BlockError> {
        self.geometry.check(sector, into.len())?;
        self.fill(sector * self.geometry.sector_size() as u64, into);
        Ok(())
    }

    async fn write(&self, sector: u64, from: &[u8]) -> Result<(), BlockError> {
        self.geometry.check_write(sector, from.len())?;
        self.store(sector * self.geometry.sector_size() as u64, from)
    }

    async fn flush(&self) -> Result<(), BlockError> {
        Ok(())
    }

    async fn discard(&self, sector: u64, count: u64, _: Discard) -> Result<(), BlockError> {
        self.geometry.check_sectors(sector, count)?;
        let size = self.geometry.sector_size() as u64;
        self.forget(sector * size, count * size);
        Ok(())
    }

    fn discards(&self, _: Discard) -> bool {
        true
    }
}

impl fmt::Debug for RamDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RamDisk")
            .field("geometry", &self.geometry)
            .field("memory", &self.memory())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// A RAM disk never waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a RAM disk waits for nothing"),
        }
    }

    #[test]
    fn zeros_take_no_memory_and_a_discard_gives_it_back() {
        let disk = RamDisk::new(512, 1 << 40).unwrap();
        now(disk.write(1 << 39, &[0; 4096])).unwrap();
        assert_eq!(disk.memory(), 0);
        now(disk.write((1 << 39) + 31, &[7; 1024])).unwrap();
        assert_eq!(disk.memory(), 2 * CHUNK_BYTES);
        now(disk.discard(0, 1 << 40, Discard::Secure)).unwrap();
        assert_eq!(disk.memory(), 0);
    }

    #[test]
    fn no_more_memory_than_was_given_is_taken() {
        let disk = RamDisk::bounded(4096, 1000, CHUNK_BYTES as u64).unwrap();
        now(disk.write(0, &[1; CHUNK_BYTES])).unwrap();
        assert_eq!(now(disk.write(4, &[1; 4096])), Err(BlockError::Full));
        now(disk.write(3, &[2; 4096])).unwrap();
        let mut bytes = [9; 8192];
        now(disk.read(3, &mut bytes)).unwrap();
        assert!(bytes[..4096] == [2; 4096] && bytes[4096..] == [0; 4096]);
    }

    proptest! {
        /// Against a plain vector.
        #[test]
        fn agrees_with_plain_memory(steps in prop::collection::vec((0u8..3, 0u64..120, 0usize..80, any::<u8>()), 0..40)) {
            const SECTORS: u64 = 160;
            let disk = RamDisk::new(512, SECTORS).unwrap();
            let mut model = vec![0u8; SECTORS as usize * 512];
            for (what, sector, count, byte) in steps {
                let range = sector as usize * 512..(sector as usize + count) * 512;
                let inside = range.end <= model.len();
                match what {
                    0 => {
                        prop_assert_eq!(now(disk.write(sector, &vec![byte; count * 512])).is_ok(), inside);
                        if inside { model[range].fill(byte); }
                    }
                    1 => {
                        prop_assert_eq!(now(disk.discard(sector, count as u64, Discard::Plain)).is_ok(), inside);
                        if inside { model[range].fill(0); }
                    }
                    _ => {
                        let mut bytes: Vec<u8> = vec![byte; count * 512];
                        prop_assert_eq!(now(disk.read(sector, &mut bytes)).is_ok(), inside);
                        if inside { prop_assert_eq!(&bytes[..], &model[range]); }
                    }
                }
            }
            let mut all = vec![1; model.len()];
            now(disk.read(0, &mut all)).unwrap();
            prop_assert_eq!(all, model);
        }
    }
}
