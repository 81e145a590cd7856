//! Small objects, by size classes: each page holds objects of one class, and taking and giving one is O(1).
//!
//! Invariants:
//!
//! 1. A page in use belongs to this allocator alone. It begins with a [`Header`]; behind that lie `capacity` objects of the class.
//! 2. A page is in its class's list exactly while it has a free object.
//! 3. An object is either with a caller, or in its page's list of free ones, or not yet made (from `fresh` on).
//! 4. At most one page of each class is wholly free; further ones go back to the source.

use core::ptr::{self, NonNull};

/// Bytes in a page, and its alignment.
pub(crate) const PAGE: usize = 4096;

/// Where pages come from.
pub(crate) trait Source {
    /// A page, aligned to its size, that is nobody else's. Its content is anything.
    fn take(&mut self) -> Option<NonNull<u8>>;

    /// Takes a page back.
    ///
    /// # Safety
    ///
    /// The page came from [`take`](Self::take) and nothing uses it any more.
    unsafe fn give(&mut self, page: NonNull<u8>);
}

/// Object sizes: multiples of 16, which is the alignment of all. The big ones divide what the header leaves of a page.
const CLASSES: [usize; 16] = [
    16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 448, 576, 672, 1008, 1344, 2016,
];

/// The largest object that a slab holds; callers take larger ones elsewhere.
pub(crate) const LARGEST: usize = CLASSES[CLASSES.len() - 1];

/// The alignment of every object.
pub(crate) const ALIGN: usize = 16;

const HEADER: usize = 48;

/// At the start of each page.
struct Header {
    next: *mut Header,
    previous: *mut Header,
    free: *mut FreeObject,
    class: u16,
    /// Objects with callers.
    used: u16,
    /// Objects made so far.
    fresh: u16,
    capacity: u16,
}

struct FreeObject {
    next: *mut FreeObject,
}

const _: () = assert!(size_of::<Header>() <= HEADER && HEADER.is_multiple_of(ALIGN));

/// The allocator.
pub(crate) struct Slabs {
    /// For each class the pages with room.
    open: [*mut Header; CLASSES.len()],
}

impl Slabs {
    pub(crate) const fn new() -> Self {
        Self {
            open: [ptr::null_mut(); CLASSES.len()],
        }
    }

    /// An object of at least `size` bytes (at most [`LARGEST`]), aligned to [`ALIGN`].
    pub(crate) fn take(&mut self, size: usize, source: &mut impl Source) -> Option<NonNull<u8>> {
        let class = class_of(size)?;
        if self.open[class].is_null() {
            self.add_page(class, source)?;
        }
        let page = self.open[class];
        // SAFETY: 1. A page in a list is ours and begins with a header (invariants 1 and 2). 2. It has a free object (2): the
        // first of its list, or the one at `fresh`, which lies inside the page since `fresh` < `capacity`. 3. Taking it keeps
        // invariant 3; a page that is full now leaves the list (2).
        unsafe {
            let header = &mut *page;
            let object = if header.free.is_null() {
                let offset = HEADER + usize::from(header.fresh) * CLASSES[class];
                header.fresh += 1;
                page.cast::<u8>().add(offset)
            } else {
                let object = header.free;
                header.free = (*object).next;
                object.cast()
            };
            header.used += 1;
            if header.free.is_null() && header.fresh == header.capacity {
                self.unlink(page);
            }
            NonNull::new(object)
        }
    }

    /// Takes an object back.
    ///
    /// # Safety
    ///
    /// `object` came from [`take`](Self::take) of this value and is not used any more.
    pub(crate) unsafe fn give(&mut self, object: NonNull<u8>, source: &mut impl Source) {
        let page = object
            .as_ptr()
            .map_addr(|address| address & !(PAGE - 1))
            .cast::<Header>();
        // SAFETY: 1. The object lies in one of our pages (the caller's promise and invariant 1). 2. It is free from now on, so
        // its bytes are ours to keep the list in; 16 bytes hold a pointer. 3. Linking and giving back keep invariants 2 and 4.
        unsafe {
            let was_full = (*page).free.is_null() && (*page).fresh == (*page).capacity;
            let object = object.as_ptr().cast::<FreeObject>();
            object.write(FreeObject { next: (*page).free });
            (*page).free = object;
            (*page).used -= 1;
            if was_full {
                self.link(page);
            }
            let alone = (*page).next.is_null() && (*page).previous.is_null();
            if (*page).used == 0 && !alone {
                self.unlink(page);
                if let Some(page) = NonNull::new(page.cast::<u8>()) {
                    source.give(page);
                }
            }
        }
    }

    fn add_page(&mut self, class: usize, source: &mut impl Source) -> Option<()> {
        let page = source.take()?.as_ptr().cast::<Header>();
        // SAFETY: a page from the source is ours, aligned and large enough for a header.
        unsafe {
            page.write(Header {
                next: ptr::null_mut(),
                previous: ptr::null_mut(),
                free: ptr::null_mut(),
                class: class as u16,
                used: 0,
                fresh: 0,
                capacity: ((PAGE - HEADER) / CLASSES[class]) as u16,
            });
            self.link(page);
        }
        Some(())
    }

    /// # Safety
    ///
    /// `page` is ours and in no list.
    unsafe fn link(&mut self, page: *mut Header) {
        // SAFETY: `page` is ours (the caller's promise), the list's first page too (invariant 2).
        unsafe {
            let first = &mut self.open[usize::from((*page).class)];
            (*page).previous = ptr::null_mut();
            (*page).next = *first;
            if !first.is_null() {
                (**first).previous = page;
            }
            *first = page;
        }
    }

    /// # Safety
    ///
    /// `page` is ours and in its class's list.
    unsafe fn unlink(&mut self, page: *mut Header) {
        // SAFETY: pages in a list are ours (invariant 2), so are their neighbours.
        unsafe {
            let (next, previous) = ((*page).next, (*page).previous);
            if previous.is_null() {
                self.open[usize::from((*page).class)] = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
            (*page).next = ptr::null_mut();
            (*page).previous = ptr::null_mut();
        }
    }
}

/// The smallest class that fits.
fn class_of(size: usize) -> Option<usize> {
    CLASSES.iter().position(|&class| size <= class)
}

#[cfg(test)]
mod tests;
