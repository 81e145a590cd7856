//! Which pages are free, and the part of the linear map that exists.
//!
//! Invariants:
//!
//! 1. A free bit in `bitmap` names a page of ours that nothing uses: not the image, the p2m list, start_info, the first page
//!    tables, the shared rings or a module.
//! 2. Pages in `spare` are taken, mapped for writing and used by nothing else. They become page tables when the map grows, which
//!    needs a page at a moment when none may be mapped.
//! 3. A 2 MiB chunk of the linear map is mapped whole (up to the domain's last page) or not at all.

use core::cell::RefCell;
use core::ops::Range;
use core::ptr;

use morgana_abi::start_info::{SIF_INITDOMAIN, SIF_MOD_START_PFN, StartInfo};
use morgana_abi::{PAGE_SIZE, mmu};
use morgana_hal::Pfn;

use super::MapError;
use super::area::Area;
use super::p2m::{mfn_of, pages, pfn_at, virtual_address};
use super::tables::{Batch, CHUNK, Level, Slot, constant_entry, data_entry, slot, table_entry};
use crate::bitmap::Bitmap;
use crate::machine::layout;
use crate::machine::one_cpu::OneCpu;

static FRAMES: OneCpu<RefCell<Option<Frames>>> = OneCpu::new(RefCell::new(None));

/// A level 1, a level 2 and a level 3 table can be missing on the way to one page.
const SPARES: usize = 3;

const PAGES_PER_CHUNK: usize = CHUNK / PAGE_SIZE;

/// The state described above.
pub(in crate::machine) struct Frames {
    bitmap: Bitmap<'static>,
    spare: [Option<Pfn>; SPARES],
    pub(super) area: Area,
}

/// Runs `action` on the frames. `None` before boot is far enough, and inside another such call.
pub(in crate::machine) fn with_frames<R>(action: impl FnOnce(&mut Frames) -> R) -> Option<R> {
    FRAMES.try_borrow_mut().ok()?.as_mut().map(action)
}

/// Finds out what is free.
pub(super) fn init(start_info: &StartInfo) -> Result<(), MapError> {
    let mut free = free_pages(start_info);
    let mut take = |bytes: usize| -> Result<usize, MapError> {
        let count = bytes.div_ceil(PAGE_SIZE);
        let first = free.start;
        let address = virtual_address(Pfn::new(first as u64));
        if first + count > free.end || slot(address + count * PAGE_SIZE - 1, Level::One).is_err() {
            return Err(MapError::OutOfFrames);
        }
        free.start += count;
        Ok(address)
    };
    let mut words = |bits: usize| -> Result<&'static mut [u64], MapError> {
        let count = Bitmap::words_for(bits);
        let pointer = ptr::with_exposed_provenance_mut::<u64>(take(count * 8)?);
        // SAFETY: the pages are free (invariant 1), mapped for writing (`take` looked), and given out once: they belong to the
        // bitmap from now on. Any bytes are valid numbers, and the domain builder has set these to zero.
        Ok(unsafe { core::slice::from_raw_parts_mut(pointer, count) })
    };
    let mut bitmap = Bitmap::full(words(pages())?, pages());
    let linear_end = layout::virt_base() + pages() * PAGE_SIZE;
    let area = Area::new(
        words(Area::PAGES)?,
        linear_end.next_multiple_of(CHUNK) + CHUNK,
    );
    let mut spare = [None; SPARES];
    for slot in &mut spare {
        *slot = pfn_at(take(PAGE_SIZE)?);
    }
    bitmap.give(free.start, free.end.saturating_sub(free.start));
    *FRAMES.borrow_mut() = Some(Frames {
        bitmap,
        spare,
        area,
    });
    Ok(())
}

/// What the domain builder left. Its first page tables come last of what it maps ("start of day", xen.h), followed by a stack
/// that is no longer in use. A module that is not mapped lies somewhere behind.
fn free_pages(start_info: &StartInfo) -> Range<usize> {
    let tables_end = start_info.pt_base as usize - layout::virt_base()
        + start_info.nr_pt_frames as usize * PAGE_SIZE;
    let mut free = tables_end / PAGE_SIZE..pages();
    if start_info.flags & SIF_MOD_START_PFN != 0 && start_info.mod_len > 0 {
        let first = start_info.mod_start as usize;
        let end = first + (start_info.mod_len as usize).div_ceil(PAGE_SIZE);
        if first < pages() / 2 && start_info.flags & SIF_INITDOMAIN == 0 {
            free.start = free.start.max(end);
        } else {
            free.end = free.end.min(first);
        }
    }
    free
}

impl Frames {
    /// Free pages.
    pub(in crate::machine) fn free(&self) -> usize {
        self.bitmap.free()
    }

    /// The lowest free page: where the heap begins.
    pub(in crate::machine) fn take_lowest(&mut self, count: usize) -> Result<usize, MapError> {
        let first = self
            .bitmap
            .take_lowest(count)
            .ok_or(MapError::OutOfFrames)?;
        self.mapped(first, count)
    }

    /// `count` pages in a row from the top, mapped; returns their address. Their content is anything.
    pub(in crate::machine) fn take(&mut self, count: usize) -> Result<usize, MapError> {
        let first = self
            .bitmap
            .take_highest(count)
            .ok_or(MapError::OutOfFrames)?;
        self.mapped(first, count)
    }

    /// The `count` pages from `address` on, if all are free.
    pub(in crate::machine) fn take_at(
        &mut self,
        address: usize,
        count: usize,
    ) -> Result<usize, MapError> {
        let first = pfn_at(address).ok_or(MapError::OutOfFrames)?.number() as usize;
        if !self.bitmap.take_at(first, count) {
            return Err(MapError::OutOfFrames);
        }
        self.mapped(first, count)
    }

    /// Takes pages back.
    ///
    /// # Safety
    ///
    /// The pages came from one of the methods above, nothing uses them any more, and nobody else can reach them.
    pub(in crate::machine) unsafe fn give(&mut self, address: usize, count: usize) {
        if let Some(first) = pfn_at(address) {
            self.bitmap.give(first.number() as usize, count);
        }
    }

    fn mapped(&mut self, first: usize, count: usize) -> Result<usize, MapError> {
        for chunk in first / PAGES_PER_CHUNK..=(first + count - 1) / PAGES_PER_CHUNK {
            if let Err(error) = self.map_chunk(chunk) {
                self.bitmap.give(first, count);
                return Err(error);
            }
        }
        Ok(virtual_address(Pfn::new(first as u64)))
    }

    /// Makes sure that a chunk of the linear map is there.
    fn map_chunk(&mut self, chunk: usize) -> Result<(), MapError> {
        let first = chunk * PAGES_PER_CHUNK;
        let address = virtual_address(Pfn::new(first as u64));
        if slot(address, Level::One).is_ok() {
            return Ok(());
        }
        self.add_table(address, |index| {
            mfn_of(Pfn::new((first + index) as u64)).map_or(0, data_entry)
        })?;
        self.refill();
        Ok(())
    }

    /// Makes sure that there is a level 1 table for `address`, with nothing in it if it is new.
    pub(super) fn ensure_table(&mut self, address: usize) -> Result<(), MapError> {
        if slot(address, Level::One).is_ok() {
            return Ok(());
        }
        self.add_table(address, |_| 0)?;
        self.refill();
        Ok(())
    }

    /// Makes the level 1 table for `address`, and what is missing above it.
    fn add_table(&mut self, address: usize, entry: impl Fn(usize) -> u64) -> Result<(), MapError> {
        // At most one table of each of the levels 3, 2 and 1 is missing.
        for _ in 0..SPARES {
            let Err(missing) = slot(address, Level::One) else {
                return Ok(());
            };
            let above = match missing {
                Level::One => Level::Two,
                Level::Two => Level::Three,
                Level::Three | Level::Four => Level::Four,
            };
            let parent = slot(address, above).map_err(|_| MapError::Refused)?;
            let table = self
                .spare
                .iter_mut()
                .find_map(Option::take)
                .ok_or(MapError::OutOfFrames)?;
            let words = ptr::with_exposed_provenance_mut::<u64>(virtual_address(table));
            for index in 0..mmu::TABLE_ENTRIES {
                let value = if missing == Level::One {
                    entry(index)
                } else {
                    0
                };
                // SAFETY: a spare page is mapped for writing and used by nothing else (invariant 2).
                unsafe { words.add(index).write(value) };
            }
            let frame = mfn_of(table).ok_or(MapError::Refused)?;
            let own = slot(virtual_address(table), Level::One).map_err(|_| MapError::Refused)?;
            let mut batch = Batch::new();
            // SAFETY: 1. The page was a spare, so nobody misses the right to write it. 2. The table's entries name our own free
            // pages (nobody refers to them) or nothing, and it appears where no table was.
            unsafe {
                batch.push(own.update(constant_entry(frame)))?;
                batch.push(parent.update(table_entry(frame)))?;
            }
            batch.flush()?;
        }
        slot(address, Level::One)
            .map(drop)
            .map_err(|_| MapError::Refused)
    }

    /// Replaces the level 1 table of a mapped chunk by one whose entries `rights` computes from address and old entry. The page of
    /// the old table becomes a spare.
    pub(super) fn replace_table(
        &mut self,
        chunk: usize,
        rights: impl Fn(usize, u64) -> u64,
    ) -> Result<(), MapError> {
        let first = slot(chunk, Level::One).map_err(|_| MapError::Refused)?;
        let parent = slot(chunk, Level::Two).map_err(|_| MapError::Refused)?;
        let old = first.table;
        let spare = self
            .spare
            .iter_mut()
            .find(|spare| spare.is_some())
            .ok_or(MapError::OutOfFrames)?;
        let new = spare.take().ok_or(MapError::OutOfFrames)?;
        let (new_address, old_address) = (virtual_address(new), virtual_address(old));
        let (Some(new_frame), Some(old_frame)) = (mfn_of(new), mfn_of(old)) else {
            return Err(MapError::Refused);
        };
        let words = ptr::with_exposed_provenance_mut::<u64>(new_address);
        for index in 0..mmu::TABLE_ENTRIES {
            let address = chunk + index * PAGE_SIZE;
            let entry = if address == new_address {
                constant_entry(new_frame)
            } else {
                let entry = slot(address, Level::One).map_or(0, Slot::entry);
                rights(address, entry)
            };
            // SAFETY: a spare page is mapped for writing and used by nothing else (invariant 2).
            unsafe { words.add(index).write(entry) };
        }
        let own = slot(new_address, Level::One).map_err(|_| MapError::Refused)?;
        let mut batch = Batch::new();
        // SAFETY: 1. The page was a spare, so nobody misses the right to write it. 2. Every page keeps the rights that its users
        // need: `rights` takes away only those that are against the image's layout.
        unsafe {
            batch.push(own.update(constant_entry(new_frame)))?;
            batch.push(parent.update(table_entry(new_frame)))?;
        }
        batch.flush()?;
        // The old table is a page like others now.
        let own = slot(old_address, Level::One).map_err(|_| MapError::Refused)?;
        // SAFETY: only this state knows of the page; no reference leads there.
        unsafe { batch.push(own.update(data_entry(old_frame)))? };
        batch.flush()?;
        *spare = Some(old);
        Ok(())
    }

    /// Replaces used spares by pages from the top. With no free page left it stays as it is, and the map can't grow further.
    fn refill(&mut self) {
        while self.spare.iter().any(Option::is_none) {
            let Some(page) = self.bitmap.take_highest(1) else {
                return;
            };
            let address = virtual_address(Pfn::new(page as u64));
            if slot(address, Level::One).is_err() {
                let first = page / PAGES_PER_CHUNK * PAGES_PER_CHUNK;
                let mapped = self.add_table(address, |index| {
                    mfn_of(Pfn::new((first + index) as u64)).map_or(0, data_entry)
                });
                if mapped.is_err() {
                    self.bitmap.give(page, 1);
                    return;
                }
            }
            if let Some(slot) = self.spare.iter_mut().find(|slot| slot.is_none()) {
                *slot = Some(Pfn::new(page as u64));
            }
        }
    }
}
