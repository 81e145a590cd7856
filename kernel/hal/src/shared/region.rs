//! The whole of such memory.

use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};

use super::copy::{WIDE, copy};

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
        if into.len() >= WIDE {
            // SAFETY: `into.len()` bytes from `offset` on lie inside the region, as was checked just now, so they are mapped for reading
            // (invariant 1); as many bytes of `into` are ours to write, and no others of the program point to either.
            unsafe {
                copy(
                    self.base.as_ptr().add(offset),
                    into.as_mut_ptr(),
                    into.len(),
                )
            };
            return;
        }
        let head = into.len().min(offset.wrapping_neg() % 8);
        let (first, rest) = into.split_at_mut(head);
        self.read_bytes(offset, first);
        self.read_words(offset + head, rest);
    }

    /// From a checked `offset` that is a multiple of 4.
    #[inline(always)]
    pub(super) fn read_halves(&self, offset: usize, into: &mut [u8]) {
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
    pub(super) fn read_words(&self, offset: usize, into: &mut [u8]) {
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
    pub(super) fn check(&self, offset: usize, len: usize) {
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
    pub(super) fn half(&self, at: usize) -> &AtomicU32 {
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
        self.half(offset)
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
        if bytes.len() >= WIDE {
            // SAFETY: `bytes.len()` bytes from `offset` on lie inside the region, as was checked just now, so they are mapped for writing
            // (invariant 1); the bytes to read are a slice, which nobody writes meanwhile.
            unsafe {
                copy(
                    bytes.as_ptr(),
                    self.0.base.as_ptr().add(offset),
                    bytes.len(),
                )
            };
            return;
        }
        let head = bytes.len().min(offset.wrapping_neg() % 8);
        let (first, rest) = bytes.split_at(head);
        self.write_bytes(offset, first);
        self.write_words(offset + head, rest);
    }

    /// To a checked `offset` that is a multiple of 4.
    #[inline(always)]
    pub(super) fn write_halves(&self, offset: usize, bytes: &[u8]) {
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
    pub(super) fn write_words(&self, offset: usize, bytes: &[u8]) {
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

    /// The same region once more, for as long as this one is borrowed.
    #[inline(always)]
    pub(super) fn same(&self) -> Self {
        Self(ReadRegion {
            base: self.0.base,
            len: self.0.len,
        })
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
        let (store, load) = (self.0.u32_at(store), self.0.u32_at(load));
        store_then_load(store, value, load)
    }

    /// Sets bits of the byte at `offset`, and nobody sees what is read or written afterwards before that.
    ///
    /// # Panics
    ///
    /// If `offset` is not inside the region.
    pub fn set_bits(&self, offset: usize, bits: u8) {
        self.0.check(offset, 1);
        self.0.byte(offset).fetch_or(bits, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Clears bits of the byte at `offset`, and says which of them were set. Nobody sees it before what was read or written earlier: of two
    /// ends of which one stores a value and then takes bits, and the other sets them and then reads the value, one sees what the other did.
    ///
    /// # Panics
    ///
    /// If `offset` is not inside the region.
    pub fn take_bits(&self, offset: usize, bits: u8) -> u8 {
        self.0.check(offset, 1);
        fence(Ordering::SeqCst);
        self.0.byte(offset).fetch_and(!bits, Ordering::SeqCst) & bits
    }

    /// Sets all bytes to zero.
    pub fn clear(&self) {
        let zeros = [0; 64];
        for offset in (0..self.0.len).step_by(zeros.len()) {
            let len = zeros.len().min(self.0.len - offset);
            self.write(offset, &zeros[..len]);
        }
    }
}

/// Two that do this with the same two values in opposite roles don't both miss what the other stored: of two sequentially consistent
/// fences one comes first. On x86 the fence is a locked instruction on the own stack, which takes no line of the shared memory from the peer.
#[inline(always)]
pub(super) fn store_then_load(store: &AtomicU32, value: u32, load: &AtomicU32) -> u32 {
    store.store(value, Ordering::Release);
    fence(Ordering::SeqCst);
    load.load(Ordering::Acquire)
}

impl Deref for SharedRegion {
    type Target = ReadRegion;

    fn deref(&self) -> &ReadRegion {
        &self.0
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
