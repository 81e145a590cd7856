//! Address space for frames that are not ours.
//!
//! Invariants: a set bit in `bitmap` is a page of a live [`Window`], or the page behind one, which stays unmapped so that an
//! access past a window's end faults. An entry of the area's page tables is nonzero only while a window covers it.

use core::ops::Range;

use morgana_abi::PAGE_SIZE;
use morgana_hal::{DomId, Mfn};

use super::MapError;
use super::frames::with_frames;
use super::tables::{CHUNK, Level, data_entry, slot};
use crate::bitmap::Bitmap;
use crate::machine::hypercall;

/// The part of the address space for windows.
pub(super) struct Area {
    bitmap: Bitmap<'static>,
    base: usize,
}

impl Area {
    /// 128 MiB: a page of bitmap. The limit on all windows together.
    pub(super) const PAGES: usize = PAGE_SIZE * 8;

    pub(super) fn new(words: &'static mut [u64], base: usize) -> Self {
        let mut bitmap = Bitmap::full(words, Self::PAGES);
        bitmap.give(0, Self::PAGES);
        Self { bitmap, base }
    }
}

/// Allocated address space. Dropping it gives the addresses back; mappings must be gone by then, or are removed.
#[derive(Debug)]
pub(in crate::machine) struct Window {
    base: usize,
    pages: usize,
    /// Whether entries may be left to remove.
    filled: bool,
}

impl Window {
    /// Address space for `pages` pages, with page tables and nothing mapped.
    pub(in crate::machine) fn new(pages: usize) -> Result<Self, MapError> {
        with_frames(|frames| {
            let first = frames
                .area
                .bitmap
                .take_lowest(pages + 1)
                .ok_or(MapError::OutOfAddressSpace)?;
            let base = frames.area.base + first * PAGE_SIZE;
            let end = base + pages * PAGE_SIZE;
            let mut chunk = base / CHUNK * CHUNK;
            while chunk < end {
                if let Err(error) = frames.ensure_table(chunk) {
                    frames.area.bitmap.give(first, pages + 1);
                    return Err(error);
                }
                chunk += CHUNK;
            }
            Ok(Self {
                base,
                pages,
                filled: false,
            })
        })
        .unwrap_or(Err(MapError::OutOfFrames))
    }

    /// Maps a frame as page `index`, to read and write. Its `owner` is another domain, `DOMID_IO` for I/O memory, or ourselves,
    /// which includes frames of Xen's own that it shares with us.
    pub(in crate::machine) fn map(
        &mut self,
        index: usize,
        frame: Mfn,
        owner: DomId,
    ) -> Result<(), MapError> {
        if index >= self.pages {
            return Err(MapError::OutOfAddressSpace);
        }
        self.filled = true;
        let slot = slot(self.address(index), Level::One).map_err(|_| MapError::Refused)?;
        // SAFETY: the address belongs to this window, so no reference leads there. Xen lets a domain map only what it may see.
        // That others may write the frame is the user's business: a window is reached by copy or atomically only.
        unsafe { hypercall::update_tables(&[slot.update(data_entry(frame))], owner) }
            .map_err(|_| MapError::Refused)
    }

    /// The address of page `index`.
    pub(in crate::machine) fn address(&self, index: usize) -> usize {
        self.base + index * PAGE_SIZE
    }

    /// All addresses.
    pub(in crate::machine) fn range(&self) -> Range<usize> {
        self.base..self.base + self.pages * PAGE_SIZE
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.filled {
            for address in self.range().step_by(PAGE_SIZE) {
                // SAFETY: the window ends here, so nothing uses its pages any more. An entry that is empty already stays so.
                let unmapped = unsafe { hypercall::update_va_mapping(address, 0) };
                if unmapped.is_err() {
                    // Then the addresses are never used again: a loss, but no harm.
                    return;
                }
            }
        }
        with_frames(|frames| {
            let first = (self.base - frames.area.base) / PAGE_SIZE;
            frames.area.bitmap.give(first, self.pages + 1);
        });
    }
}
