//! Memory that another domain may write at any moment, reachable by copy only.
//!
//! Invariants of [`ReadRegion`], on which every block below relies:
//!
//! 1. `base` is aligned to 8 bytes and `base .. base + len` stays mapped for reading while the value lives; for a
//!    [`SharedRegion`] also for writing. Whoever calls `from_raw` promises this.
//! 2. No reference to the region's bytes exists anywhere in this domain, so an access can only race with accesses of the same kind
//!    (atomic ones here) or with a peer's, which the compiler knows nothing of.
//!
//! All accesses are atomic with relaxed order or stronger: a racing write gives old bytes, new bytes or a mix, never undefined
//! behaviour. Order between accesses comes from the acquire and release methods, or from fences at the caller.

use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Bytes that a peer may write and we only read.
#[derive(Debug)]
pub struct ReadRegion {
    base: NonNull<u8>,
    len: usize,
}

impl ReadRegion {
    /// Wraps raw memory.
    ///
    /// # Safety
    ///
    /// The module's invariants 1 and 2 hold for `base` and `len` as long as the value lives.
    pub unsafe fn from_raw(base: NonNull<u8>, len: usize) -> Self {
        assert!(
            (base.as_ptr() as usize).is_multiple_of(8),
            "a shared region begins at a multiple of 8"
        );
        Self { base, len }
    }

    /// The region's size in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies `into.len()` bytes from `offset` on. Bytes that a peer writes meanwhile may come out old or new.
    ///
    /// # Panics
    ///
    /// If the bytes do not lie inside the region: offsets are to be validated before.
    #[inline]
    pub fn read(&self, offset: usize, into: &mut [u8]) {
        self.check(offset, into.len());
        let head = into.len().min(offset.wrapping_neg() % 8);
        let (first, rest) = into.split_at_mut(head);
        let mut at = offset;
        for byte in first {
            *byte = self.byte(at).load(Ordering::Relaxed);
            at += 1;
        }
        let mut words = rest.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&self.word(at).load(Ordering::Relaxed).to_ne_bytes());
            at += 8;
        }
        for byte in words.into_remainder() {
            *byte = self.byte(at).load(Ordering::Relaxed);
            at += 1;
        }
    }

    /// Reads a `u32` at `offset`; what the peer wrote before it stored this value is visible afterwards.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 4 inside the region.
    #[inline]
    pub fn load_u32(&self, offset: usize) -> u32 {
        self.u32_at(offset).load(Ordering::Acquire)
    }

    fn check(&self, offset: usize, len: usize) {
        assert!(
            offset <= self.len && len <= self.len - offset,
            "access leaves the shared region"
        );
    }

    fn byte(&self, at: usize) -> &AtomicU8 {
        debug_assert!(at < self.len);
        // SAFETY: the callers have checked that `at` lies inside the region, which is mapped (invariant 1); a `u8` needs no
        // alignment, and everyone accesses it atomically (invariant 2).
        unsafe { AtomicU8::from_ptr(self.base.as_ptr().add(at)) }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        debug_assert!(at.is_multiple_of(8) && at + 8 <= self.len);
        // SAFETY: as for `byte`; `at` is a multiple of 8 and so is `base` (invariant 1), hence the pointer is aligned.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(at).cast()) }
    }

    fn u32_at(&self, offset: usize) -> &AtomicU32 {
        self.check(offset, 4);
        assert!(
            offset.is_multiple_of(4),
            "a shared u32 lies at a multiple of 4"
        );
        // SAFETY: checked just above: inside the region (invariant 1) and aligned; accessed atomically only (invariant 2).
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(offset).cast()) }
    }
}

/// Bytes that both a peer and we may write.
#[derive(Debug)]
pub struct SharedRegion(ReadRegion);

impl SharedRegion {
    /// Wraps raw memory.
    ///
    /// # Safety
    ///
    /// The module's invariants 1 and 2 hold for `base` and `len` as long as the value lives, for reading and for writing.
    pub unsafe fn from_raw(base: NonNull<u8>, len: usize) -> Self {
        // SAFETY: passed on from the caller.
        Self(unsafe { ReadRegion::from_raw(base, len) })
    }

    /// The same bytes, for one who only reads.
    pub fn as_read(&self) -> &ReadRegion {
        &self.0
    }

    /// Copies `bytes` to `offset` on.
    ///
    /// # Panics
    ///
    /// If the bytes do not lie inside the region.
    #[inline]
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        self.0.check(offset, bytes.len());
        let head = bytes.len().min(offset.wrapping_neg() % 8);
        let (first, rest) = bytes.split_at(head);
        let mut at = offset;
        for &byte in first {
            self.0.byte(at).store(byte, Ordering::Relaxed);
            at += 1;
        }
        let (words, last) = rest.as_chunks::<8>();
        for &word in words {
            self.0
                .word(at)
                .store(u64::from_ne_bytes(word), Ordering::Relaxed);
            at += 8;
        }
        for &byte in last {
            self.0.byte(at).store(byte, Ordering::Relaxed);
            at += 1;
        }
    }

    /// Writes a `u32` at `offset`; a peer that sees it also sees all that was written before.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 4 inside the region.
    #[inline]
    pub fn store_u32(&self, offset: usize, value: u32) {
        self.0.u32_at(offset).store(value, Ordering::Release);
    }

    /// Sets all bytes to zero.
    pub fn clear(&self) {
        for at in 0..self.0.len {
            self.0.byte(at).store(0, Ordering::Relaxed);
        }
    }
}

impl Deref for SharedRegion {
    type Target = ReadRegion;

    fn deref(&self) -> &ReadRegion {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn with_region(len: usize, test: impl FnOnce(&SharedRegion)) {
        let mut words = vec![0u64; len.div_ceil(8)];
        let base =
            NonNull::new(words.as_mut_ptr().cast::<u8>()).expect("a Vec's pointer is not null");
        // SAFETY: `words` is 8-aligned, at least `len` bytes long, outlives the region, and is not touched while it lives.
        let region = unsafe { SharedRegion::from_raw(base, len) };
        test(&region);
    }

    #[test]
    fn every_offset_and_length_round_trips() {
        with_region(40, |region| {
            for offset in 0..40 {
                for len in 0..=40 - offset {
                    let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + offset) as u8 | 1).collect();
                    region.clear();
                    region.write(offset, &bytes);
                    let mut all = [0u8; 40];
                    region.read(0, &mut all);
                    assert_eq!(&all[offset..offset + len], bytes);
                    assert!(
                        all[..offset]
                            .iter()
                            .chain(&all[offset + len..])
                            .all(|&b| b == 0)
                    );
                    let mut back = vec![0u8; len];
                    region.read(offset, &mut back);
                    assert_eq!(back, bytes);
                }
            }
        });
    }

    #[test]
    #[should_panic(expected = "leaves the shared region")]
    fn a_read_past_the_end_panics() {
        with_region(16, |region| region.read(12, &mut [0; 5]));
    }

    #[test]
    #[should_panic(expected = "leaves the shared region")]
    fn an_offset_that_overflows_panics() {
        with_region(16, |region| region.write(usize::MAX, &[0; 2]));
    }

    #[test]
    fn a_u32_is_in_native_order() {
        with_region(16, |region| {
            region.store_u32(4, 0x0102_0304);
            assert_eq!(region.load_u32(4), 0x0102_0304);
            let mut bytes = [0; 4];
            region.read(4, &mut bytes);
            assert_eq!(u32::from_ne_bytes(bytes), 0x0102_0304);
        });
    }
}
