//! Rings in such memory: a few words, then equal pieces.

use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::region::{SharedRegion, store_then_load};

/// How many [`Pieces`] there are: a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PieceCount {
    /// One less. A `u32` whose set bits are the lowest ones, and 31 of them at the most.
    mask: u32,
}

impl PieceCount {
    /// `None` unless `count` is a power of two.
    pub const fn new(count: u32) -> Option<Self> {
        if count.is_power_of_two() {
            Some(Self { mask: count - 1 })
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.mask + 1
    }
}

/// Words at the beginning of a region, and after them equal pieces, a power of two of them: every index, taken modulo their number, names one
/// that lies inside. So where they lie is checked when they are made and not again. Made for rings: where the sizes are known when the
/// program is compiled, so is all that depends on them.
#[derive(Debug)]
pub struct Pieces<'a> {
    /// A copy, so that it can stay in registers: to the compiler, what is written to shared memory may change any other memory.
    region: SharedRegion,
    lifetime: PhantomData<&'a SharedRegion>,
    // `first + size * (mask + 1)` is at most the region's length.
    first: usize,
    size: usize,
    mask: u32,
}

impl SharedRegion {
    /// `count` equal pieces of `size` bytes from `first` on.
    ///
    /// # Panics
    ///
    /// If they do not lie inside the region.
    #[inline(always)]
    pub fn pieces(&self, first: usize, size: usize, count: PieceCount) -> Pieces<'_> {
        let bytes = size.checked_mul(count.get() as usize);
        let end = bytes.and_then(|bytes| bytes.checked_add(first));
        self.check(0, end.unwrap_or(usize::MAX));
        Pieces {
            region: self.same(),
            lifetime: PhantomData,
            first,
            size,
            mask: count.mask,
        }
    }
}

impl Pieces<'_> {
    /// As [`ReadRegion::load_u32`](super::ReadRegion::load_u32), before the first piece.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 4 there.
    #[inline(always)]
    pub fn load_u32(&self, offset: usize) -> u32 {
        self.check_word(offset);
        self.region.half(offset).load(Ordering::Acquire)
    }

    /// As [`SharedRegion::store_then_load_u32`], before the first piece.
    ///
    /// # Panics
    ///
    /// If an offset is not a multiple of 4 there.
    #[inline(always)]
    pub fn store_then_load_u32(&self, store: usize, value: u32, load: usize) -> u32 {
        self.check_word(store);
        self.check_word(load);
        store_then_load(self.region.half(store), value, self.region.half(load))
    }

    /// Where the first piece begins is a number in the program, so this is decided when it is compiled.
    #[inline(always)]
    fn check_word(&self, offset: usize) {
        assert!(
            offset.is_multiple_of(4) && offset <= self.first && 4 <= self.first - offset,
            "a word lies before the first piece"
        );
    }

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
