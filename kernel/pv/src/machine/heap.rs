//! The heap: slabs for small objects over `linked_list_allocator` for the rest.
//!
//! The list allocator's free list is searched and kept sorted in O(holes), so small objects, of which a server has thousands, do
//! not go there: they come from pages of equal objects (`slab`), taken from the top of memory. The list grows at the bottom,
//! 64 KiB or more at a time, until the two meet.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;
use core::ptr::{NonNull, null_mut, with_exposed_provenance_mut};

use linked_list_allocator::Heap as List;
use morgana_abi::PAGE_SIZE;

use super::memory::{MapError, with_frames};
use super::one_cpu::OneCpu;
use super::trap;
use crate::slab::{ALIGN, LARGEST, Slabs, Source};

#[global_allocator]
static HEAP: Heap = Heap(OneCpu::new(RefCell::new(State {
    slabs: Slabs::new(),
    list: PageList {
        list: List::empty(),
        outside: 0,
    },
})));

/// The least that the list grows by, in pages.
const STEP: usize = 16;

struct Heap(OneCpu<RefCell<State>>);

struct State {
    slabs: Slabs,
    list: PageList,
}

/// The heap in figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeapUsage {
    /// Bytes allocated from the list, of all slab pages, and of all whole pages given out.
    pub(super) used_bytes: usize,
    /// That, and what is free in the list or among the domain's pages.
    pub(super) total_bytes: usize,
}

/// The heap now.
pub(super) fn usage() -> HeapUsage {
    let free_pages = with_frames(|frames| frames.free()).unwrap_or(0);
    let Ok(state) = HEAP.0.try_borrow() else {
        return HeapUsage {
            used_bytes: 0,
            total_bytes: 0,
        };
    };
    let outside = state.list.outside * PAGE_SIZE;
    HeapUsage {
        used_bytes: state.list.list.used() + outside,
        total_bytes: state.list.list.size() + outside + free_pages * PAGE_SIZE,
    }
}

/// Pages in a row for whoever needs whole pages: from the free frames, or else out of the list. Their content is anything.
pub(super) fn take_pages(count: usize) -> Option<NonNull<u8>> {
    HEAP.0.try_borrow_mut().ok()?.list.take_pages(count)
}

/// Takes pages back.
///
/// # Safety
///
/// They came from [`take_pages`], as many in one piece, and nobody can reach them any more.
pub(super) unsafe fn give_pages(pages: NonNull<u8>, count: usize) {
    // The heap is never borrowed here; if it were, the pages would be lost, which does no harm.
    if let Ok(mut state) = HEAP.0.try_borrow_mut() {
        // SAFETY: the caller's promise.
        unsafe { state.list.give_pages(pages, count) };
    }
}

impl Source for PageList {
    fn take(&mut self) -> Option<NonNull<u8>> {
        self.take_pages(1)
    }

    unsafe fn give(&mut self, page: NonNull<u8>) {
        // SAFETY: it came from `take`, and the caller promises that nothing uses it.
        unsafe { self.give_pages(page, 1) };
    }
}

/// The list allocator, and pages from it or beside it.
struct PageList {
    list: List,
    /// Pages given out that are not the list's.
    outside: usize,
}

impl PageList {
    fn take_pages(&mut self, count: usize) -> Option<NonNull<u8>> {
        match with_frames(|frames| frames.take(count)) {
            Some(Ok(address)) => {
                self.outside += count;
                NonNull::new(with_exposed_provenance_mut(address))
            }
            _ => self.list.allocate_first_fit(page_layout(count)?).ok(),
        }
    }

    /// # Safety
    ///
    /// As for [`give_pages`].
    unsafe fn give_pages(&mut self, pages: NonNull<u8>, count: usize) {
        let inside =
            (self.list.bottom().addr()..self.list.top().addr()).contains(&pages.addr().get());
        if !inside {
            self.outside -= count;
            // SAFETY: the caller's promise; pages outside of the list came from the frames.
            with_frames(|frames| unsafe { frames.give(pages.addr().get(), count) });
        } else if let Some(layout) = page_layout(count) {
            // SAFETY: the caller's promise; pages inside of the list were allocated there, with this layout.
            unsafe { self.list.deallocate(pages, layout) };
        }
    }

    fn take_large(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if let Ok(object) = self.list.allocate_first_fit(layout) {
            return Some(object);
        }
        self.grow(layout).ok()?;
        self.list.allocate_first_fit(layout).ok()
    }

    /// Adds room for `layout` at the list's end.
    fn grow(&mut self, layout: Layout) -> Result<(), MapError> {
        // Room for the object at any offset, and for the list's own node.
        let bytes = layout
            .size()
            .checked_add(layout.align())
            .and_then(|bytes| bytes.checked_add(64))
            .ok_or(MapError::OutOfFrames)?;
        let least = bytes.div_ceil(PAGE_SIZE);
        for pages in [least.max(STEP), least] {
            if self.extend(pages).is_ok() {
                return Ok(());
            }
        }
        Err(MapError::OutOfFrames)
    }

    fn extend(&mut self, pages: usize) -> Result<(), MapError> {
        let bytes = pages * PAGE_SIZE;
        if self.list.bottom().is_null() {
            let address = with_frames(|frames| frames.take_lowest(pages))
                .unwrap_or(Err(MapError::OutOfFrames))?;
            // SAFETY: the pages are mapped, ours and used by nothing else, for ever: the list never shrinks.
            unsafe { self.list.init(with_exposed_provenance_mut(address), bytes) };
        } else {
            let end = self.list.top().addr();
            with_frames(|frames| frames.take_at(end, pages))
                .unwrap_or(Err(MapError::OutOfFrames))?;
            // SAFETY: the pages right behind the list are mapped, ours and used by nothing else, for ever.
            unsafe { self.list.extend(bytes) };
        }
        Ok(())
    }
}

fn page_layout(count: usize) -> Option<Layout> {
    Layout::from_size_align(count.checked_mul(PAGE_SIZE)?, PAGE_SIZE).ok()
}

fn is_small(layout: Layout) -> bool {
    layout.size() <= LARGEST && layout.align() <= ALIGN
}

// SAFETY: 1. Blocks come from `Slabs` or the list, which never give out the same bytes twice, and have the size and alignment asked
// for: slabs align to 16 and larger alignments go to the list. 2. Which of the two depends on the layout alone, which is the same
// at freeing. 3. One processor and no interrupts: `RefCell` never finds the state borrowed, and if it did the answer is a null
// pointer or a leak, not a corrupt list.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        trap::check_stack();
        let Ok(mut state) = self.0.try_borrow_mut() else {
            return null_mut();
        };
        let State { slabs, list } = &mut *state;
        let object = if is_small(layout) {
            slabs.take(layout.size(), list)
        } else {
            list.take_large(layout)
        };
        object.map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, object: *mut u8, layout: Layout) {
        let (Ok(mut state), Some(object)) = (self.0.try_borrow_mut(), NonNull::new(object)) else {
            return;
        };
        let State { slabs, list } = &mut *state;
        if is_small(layout) {
            // SAFETY: the object came from `alloc` with this layout, hence from the slabs, and is not used any more.
            unsafe { slabs.give(object, list) };
        } else {
            // SAFETY: likewise from the list.
            unsafe { list.list.deallocate(object, layout) };
        }
    }
}
