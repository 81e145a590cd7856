//! Rings in such memory: a few words, then equal pieces.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use super::region::{SharedRegion, store_then_load};
use crate::Pages;

/// Where the pieces lie. Numbers of the program, so that all that depends on them is decided when it is compiled.
pub trait PieceLayout {
    /// How many bytes come before the first piece; the words lie there.
    const FIRST: usize;
    /// How many bytes a piece has.
    const SIZE: usize;
}

/// Pages with words at their beginning and equal pieces after them, a power of two of those: every index, taken modulo their number, names one
/// that lies inside. So where they lie is checked when they are made and not again.
pub struct Pieces<M, L> {
    pages: M,
    /// The region of `pages` once more, so that it need not be asked for.
    region: SharedRegion,
    /// One less than the number of pieces, which is a power of two. `L::FIRST + L::SIZE * (mask + 1)` is at most the region's length.
    mask: u32,
    layout: PhantomData<fn() -> L>,
}

impl<M: Pages, L: PieceLayout> Pieces<M, L> {
    /// As many pieces as the pages have room for, rounded down to a power of two; the pages themselves come back if it is not one.
    ///
    /// # Errors
    ///
    /// The pages, if they have no room for a piece.
    pub fn new(pages: M) -> Result<Self, M> {
        let Some(count) = piece_count(pages.region().len(), L::FIRST, L::SIZE) else {
            return Err(pages);
        };
        // The trait promises that it stays the pages' region as long as they live, and they live as long as this value.
        let region = pages.region().same();
        Ok(Self {
            pages,
            region,
            mask: count - 1,
            layout: PhantomData,
        })
    }

    /// The pages.
    pub const fn pages(&self) -> &M {
        &self.pages
    }

    /// Gives the pages back.
    pub fn into_pages(self) -> M {
        self.pages
    }

    /// How many pieces there are.
    pub const fn count(&self) -> u32 {
        self.mask + 1
    }

    /// As [`ReadRegion::load_u32`](super::ReadRegion::load_u32), before the first piece.
    ///
    /// # Panics
    ///
    /// If `offset` is not a multiple of 4 there.
    #[inline(always)]
    pub fn load_u32(&self, offset: usize) -> u32 {
        Self::check_word(offset);
        self.region.half(offset).load(Ordering::Acquire)
    }

    /// As [`SharedRegion::store_then_load_u32`], before the first piece.
    ///
    /// # Panics
    ///
    /// If an offset is not a multiple of 4 there.
    #[inline(always)]
    pub fn store_then_load_u32(&self, store: usize, value: u32, load: usize) -> u32 {
        Self::check_word(store);
        Self::check_word(load);
        store_then_load(self.region.half(store), value, self.region.half(load))
    }

    #[inline(always)]
    fn check_word(offset: usize) {
        assert!(
            offset.is_multiple_of(4) && offset <= L::FIRST && 4 <= L::FIRST - offset,
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
        match Self::ALIGN {
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
        match Self::ALIGN {
            8 => region.write_words(offset, bytes),
            4 => region.write_halves(offset, bytes),
            _ => region.write(offset, bytes),
        }
    }

    /// A power of two, 8 at most, of which the beginning of every piece is a multiple.
    const ALIGN: usize = 1 << min((L::FIRST | L::SIZE).trailing_zeros(), 3);

    /// Where `len` bytes of a piece lie: inside the region.
    #[inline(always)]
    fn offset(&self, index: u32, len: usize) -> usize {
        assert!(len <= L::SIZE, "access leaves the piece");
        L::FIRST + (index & self.mask) as usize * L::SIZE
    }
}

/// How many pieces fit into a region of so many bytes, rounded down to a power of two; `None` if not one does.
pub const fn piece_count(region_bytes: usize, first: usize, size: usize) -> Option<u32> {
    if size == 0 || region_bytes < first || region_bytes - first < size {
        return None;
    }
    let fit = (region_bytes - first) / size;
    // More than indices can tell apart (2^31) would need 2 GiB at the least.
    Some(1 << min(fit.ilog2(), 31))
}

const fn min(a: u32, b: u32) -> u32 {
    if a < b { a } else { b }
}

impl<M: fmt::Debug, L: PieceLayout> fmt::Debug for Pieces<M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces")
            .field("pages", &self.pages)
            .field("count", &(self.mask + 1))
            .field("bytes", &L::SIZE)
            .finish()
    }
}
