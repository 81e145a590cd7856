//! Whole pages with an owner.

use core::ptr::NonNull;

use morgana_abi::PAGE_SIZE;
use morgana_hal::{Mfn, Pfn};

use super::MapError;
use super::frames::with_frames;
use super::p2m::{mfn_of, pfn_at};

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
        let address =
            with_frames(|frames| frames.take(pages)).unwrap_or(Err(MapError::OutOfFrames))?;
        let base = NonNull::new(core::ptr::with_exposed_provenance_mut::<u8>(address))
            .ok_or(MapError::OutOfFrames)?;
        // SAFETY: `take` gives mapped pages that nothing else uses.
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
        // SAFETY: the pages came from `take`; with the value the only way to reach them ends. Who granted them to a peer has
        // ended that access before (`grants::Granted`).
        with_frames(|frames| unsafe { frames.give(self.base.addr().get(), self.pages) });
    }
}
