//! Whole pages with an owner.

use core::ptr::NonNull;

use morgana_abi::PAGE_SIZE;
use morgana_hal::{Mfn, Pfn};

use super::MapError;
use super::p2m::{mfn_of, pfn_at};
use crate::machine::heap;

/// Own pages in a row, zeroed when they were made. Dropping them frees them.
///
/// Invariant: the pages are taken, mapped for writing, and reachable through this value only.
#[derive(Debug)]
pub(in crate::machine) struct PageRun {
    base: NonNull<u8>,
    pages: usize,
}

impl PageRun {
    /// `pages` zeroed pages in a row (at least one).
    pub(in crate::machine) fn new(pages: usize) -> Result<Self, MapError> {
        let pages = pages.max(1);
        let base = heap::take_pages(pages).ok_or(MapError::OutOfFrames)?;
        // SAFETY: `take_pages` gives mapped pages that nothing else uses.
        unsafe { base.write_bytes(0, pages * PAGE_SIZE) };
        Ok(Self { base, pages })
    }

    /// The first byte.
    pub(in crate::machine) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Bytes.
    pub(in crate::machine) fn len(&self) -> usize {
        self.pages * PAGE_SIZE
    }

    /// The machine frames, in order.
    pub(in crate::machine) fn frames(&self) -> impl Iterator<Item = Mfn> + '_ {
        let first = pfn_at(self.base.addr().get()).map_or(0, Pfn::number);
        (0..self.pages as u64).filter_map(move |index| mfn_of(Pfn::new(first + index)))
    }
}

impl Drop for PageRun {
    fn drop(&mut self) {
        // SAFETY: the pages came from `take_pages`; with the value the only way to reach them ends. Who granted them to a peer has
        // ended that access before (`grants::Granted`).
        unsafe { heap::give_pages(self.base, self.pages) };
    }
}
