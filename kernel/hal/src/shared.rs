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

use core::marker::PhantomData;
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
        self.read_bytes(offset, first);
        self.read_words(offset + head, rest);
    }

    /// From a checked `offset` that is a multiple of 4.
    #[inline(always)]
    fn read_halves(&self, offset: usize, into: &mut [u8]) {
        let (halves, last) = into.as_chunks_mut::<4>();
        let rest = offset + size_of_val(halves);
        for_each(halves, |index, half| {
            let value = self.half(offset + index * 4).load(Ordering::Relaxed);
            *half = value.to_ne_bytes();
        });
        self.read_bytes(rest, last);
    }

    /// From a checked `offset` that is a multiple of 8.
    #[inline(always)]
    fn read_words(&self, offset: usize, into: &mut [u8]) {
        let (words, last) = into.as_chunks_mut::<8>();
        let rest = offset + size_of_val(words);
        for_each(words, |index, word| {
            let value = self.word(offset + index * 8).load(Ordering::Relaxed);
            *word = value.to_ne_bytes();
        });
        self.read_bytes(rest, last);
    }

    /// From a checked `offset`.
    #[inline(always)]
    fn read_bytes(&self, offset: usize, into: &mut [u8]) {
        for (at, byte) in (offset..).zip(into) {
            *byte = self.byte(at).load(Ordering::Relaxed);
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

    #[inline(always)]
    fn check(&self, offset: usize, len: usize) {
        assert!(
            offset <= self.len && len <= self.len - offset,
            "access leaves the shared region"
        );
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> &AtomicU8 {
        debug_assert!(at < self.len);
        // SAFETY: the callers have checked that `at` lies inside the region, which is mapped (invariant 1); a `u8` needs no
        // alignment, and everyone accesses it atomically (invariant 2).
        unsafe { AtomicU8::from_ptr(self.base.as_ptr().add(at)) }
    }

    #[inline(always)]
    fn half(&self, at: usize) -> &AtomicU32 {
        debug_assert!(at.is_multiple_of(4) && at + 4 <= self.len);
        // SAFETY: as for `byte`; `at` is a multiple of 4 and `base` one of 8 (invariant 1), hence the pointer is aligned.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().add(at).cast()) }
    }

    #[inline(always)]
    fn word(&self, at: usize) -> &AtomicU64 {
        debug_assert!(at.is_multiple_of(8) && at + 8 <= self.len);
        // SAFETY: as for `byte`; `at` is a multiple of 8 and so is `base` (invariant 1), hence the pointer is aligned.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(at).cast()) }
    }

    #[inline(always)]
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
        self.write_bytes(offset, first);
        self.write_words(offset + head, rest);
    }

    /// `count` equal pieces of `size` bytes from `first` on.
    ///
    /// # Panics
    ///
    /// If they do not lie inside the region, or `count` is no power of two.
    #[inline(always)]
    pub fn pieces(&self, first: usize, size: usize, count: u32) -> Pieces<'_> {
        assert!(count.is_power_of_two(), "pieces are a power of two");
        let bytes = size.checked_mul(count as usize);
        self.0.check(first, bytes.unwrap_or(usize::MAX));
        let region = ReadRegion {
            base: self.0.base,
            len: self.0.len,
        };
        Pieces {
            region: SharedRegion(region),
            lifetime: PhantomData,
            first,
            size,
            mask: count - 1,
        }
    }

    /// To a checked `offset` that is a multiple of 4.
    #[inline(always)]
    fn write_halves(&self, offset: usize, bytes: &[u8]) {
        let (halves, last) = bytes.as_chunks::<4>();
        for_each(halves, |index, &half| {
            let value = u32::from_ne_bytes(half);
            let place = self.0.half(offset + index * 4);
            place.store(value, Ordering::Relaxed);
        });
        self.write_bytes(offset + size_of_val(halves), last);
    }

    /// To a checked `offset` that is a multiple of 8.
    #[inline(always)]
    fn write_words(&self, offset: usize, bytes: &[u8]) {
        let (words, last) = bytes.as_chunks::<8>();
        for_each(words, |index, &word| {
            let value = u64::from_ne_bytes(word);
            let place = self.0.word(offset + index * 8);
            place.store(value, Ordering::Relaxed);
        });
        self.write_bytes(offset + size_of_val(words), last);
    }

    /// To a checked `offset`.
    #[inline(always)]
    fn write_bytes(&self, offset: usize, bytes: &[u8]) {
        for (at, &byte) in (offset..).zip(bytes) {
            self.0.byte(at).store(byte, Ordering::Relaxed);
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

    /// Writes `value` at `store` (as [`store_u32`](Self::store_u32)) and then reads a `u32` at `load` (as
    /// [`load_u32`](ReadRegion::load_u32)), and nobody sees the two in another order: of two ends that each write one value and then
    /// read the other's, at least one sees what the other wrote.
    ///
    /// # Panics
    ///
    /// If an offset is not a multiple of 4 inside the region.
    #[inline]
    pub fn store_then_load_u32(&self, store: usize, value: u32, load: usize) -> u32 {
        // Sequentially consistent accesses have one order. It costs one locked instruction.
        self.0.u32_at(store).store(value, Ordering::SeqCst);
        self.0.u32_at(load).load(Ordering::SeqCst)
    }

    /// Sets all bytes to zero.
    pub fn clear(&self) {
        for at in 0..self.0.len {
            self.0.byte(at).store(0, Ordering::Relaxed);
        }
    }
}

/// Equal pieces of a region, a power of two of them: every index, taken modulo their number, names one that lies inside. So where they lie
/// is checked when they are made and not again. Made for the entries of rings: where the sizes are known when the program is compiled,
/// so is all that depends on them.
#[derive(Debug)]
pub struct Pieces<'a> {
    /// A copy, so that it can stay in registers: to the compiler, what is written to shared memory may change any other memory.
    region: SharedRegion,
    lifetime: PhantomData<&'a SharedRegion>,
    // `first + size * (mask + 1)` is at most the region's length, and `mask + 1` a power of two.
    first: usize,
    size: usize,
    mask: u32,
}

impl Pieces<'_> {
    /// Copies `into.len()` bytes from the beginning of a piece.
    ///
    /// # Panics
    ///
    /// If a piece has fewer bytes.
    #[inline(always)]
    pub fn read(&self, index: u32, into: &mut [u8]) {
        let (region, offset) = (&self.region, self.offset(index, into.len()));
        match self.align() {
            8 => region.read_words(offset, into),
            4 => region.read_halves(offset, into),
            _ => region.read(offset, into),
        }
    }

    /// Copies `bytes` to the beginning of a piece.
    ///
    /// # Panics
    ///
    /// If a piece has fewer bytes.
    #[inline(always)]
    pub fn write(&self, index: u32, bytes: &[u8]) {
        let (region, offset) = (&self.region, self.offset(index, bytes.len()));
        match self.align() {
            8 => region.write_words(offset, bytes),
            4 => region.write_halves(offset, bytes),
            _ => region.write(offset, bytes),
        }
    }

    /// Where `len` bytes of a piece lie: inside the region.
    #[inline(always)]
    fn offset(&self, index: u32, len: usize) -> usize {
        assert!(len <= self.size, "access leaves the piece");
        self.first + (index & self.mask) as usize * self.size
    }

    /// A power of two, 8 at most, of which the beginning of every piece is a multiple.
    #[inline(always)]
    fn align(&self) -> usize {
        1 << (self.first | self.size).trailing_zeros().min(3)
    }
}

/// Calls `each` for all items, the first four without a loop: if the caller knows how many there are, then so does the compiler, and what
/// is copied can stay in registers. A small value that takes its way through memory in pieces of another size makes the processor wait.
#[inline(always)]
fn for_each<I: IntoIterator>(items: I, mut each: impl FnMut(usize, I::Item)) {
    const STRAIGHT: usize = 4;
    let mut items = items.into_iter();
    macro_rules! step {
        ($($index:literal)*) => {
            $(match items.next() {
                Some(item) => each($index, item),
                None => return,
            })*
        };
    }
    step!(0 1 2 3);
    for (index, item) in (STRAIGHT..).zip(items) {
        each(index, item);
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
    fn pieces_of_every_size_keep_apart() {
        with_region(4096, |region| {
            for (first, size) in (0..20).flat_map(|first| (1..40).map(move |size| (first, size))) {
                region.clear();
                let pieces = region.pieces(first, size, 8);
                for index in 0..8u32 {
                    pieces.write(index.wrapping_sub(3), &vec![index as u8 + 1; size]);
                }
                let mut all = vec![0; first + 8 * size + 8];
                region.read(0, &mut all);
                for index in 0..8u32 {
                    let mut back = vec![0; size];
                    pieces.read(index.wrapping_sub(3), &mut back);
                    assert_eq!(back, vec![index as u8 + 1; size]);
                    let at = first + (index as usize + 5) % 8 * size;
                    assert_eq!(all[at..at + size], back);
                }
                assert!(
                    all[..first]
                        .iter()
                        .chain(&all[first + 8 * size..])
                        .all(|&b| b == 0)
                );
            }
        });
    }

    #[test]
    #[should_panic(expected = "leaves the shared region")]
    fn pieces_lie_inside() {
        with_region(64, |region| {
            region.pieces(8, 7, 8);
            region.pieces(8, 8, 8);
        });
    }

    #[test]
    #[should_panic(expected = "leaves the shared region")]
    fn pieces_that_overflow_panic() {
        with_region(64, |region| {
            region.pieces(8, usize::MAX / 2, 8);
        });
    }

    #[test]
    #[should_panic(expected = "leaves the piece")]
    fn an_access_stays_in_its_piece() {
        with_region(64, |region| region.pieces(0, 4, 4).read(0, &mut [0; 5]));
    }

    #[test]
    fn a_value_is_stored_before_another_is_read() {
        with_region(16, |region| {
            region.store_u32(4, 7);
            assert_eq!(region.store_then_load_u32(0, 5, 4), 7);
            assert_eq!(region.load_u32(0), 5);
            assert_eq!(region.store_then_load_u32(8, 9, 8), 9);
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
