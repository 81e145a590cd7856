//! A peer's pages, mapped one after the other.
//!
//! Invariants:
//!
//! 1. `base .. base + pages × 4,096` is a reservation made by this value, and unmapped when it is dropped. Every page in it is
//!    readable and writable once [`Mapping::place`] has been called for it.
//! 2. The bytes are reached through a `SharedRegion` only, never through references. So a page under it may be exchanged
//!    ([`sever`]) at any moment.

use core::ptr::{NonNull, null_mut};
use std::os::fd::BorrowedFd;

use morgana_hal::{PAGE_SIZE, SharedRegion};
use rustix::io;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// Where a mapped page lies. Only an address to compare and to hand to [`sever`], never to read through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PageAddress(usize);

#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    pages: usize,
}

impl Mapping {
    /// Address space for `pages` pages (at least one), not accessible yet.
    pub(crate) fn reserve(pages: usize) -> io::Result<Self> {
        let len = pages.checked_mul(PAGE_SIZE).ok_or(io::Errno::NOMEM)?;
        // SAFETY: no address is asked for, so no existing mapping changes.
        let base =
            unsafe { mmap_anonymous(null_mut(), len, ProtFlags::empty(), MapFlags::PRIVATE) }?;
        let base = NonNull::new(base.cast()).ok_or(io::Errno::NOMEM)?;
        Ok(Self { base, pages })
    }

    /// Maps page `page` of a domain's memory as page `index` of this mapping.
    pub(crate) fn place(
        &mut self,
        index: usize,
        memory: BorrowedFd<'_>,
        page: usize,
    ) -> io::Result<PageAddress> {
        assert!(index < self.pages, "a page number leaves the mapping");
        // SAFETY: inside the reservation by the check above.
        let at = unsafe { self.base.add(index * PAGE_SIZE) };
        // SAFETY: MAP_FIXED replaces one page of our own reservation (invariant 1), to which no reference exists (invariant 2).
        unsafe {
            mmap(
                at.as_ptr().cast(),
                PAGE_SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::FIXED,
                memory,
                (page * PAGE_SIZE) as u64,
            )
        }?;
        Ok(PageAddress(at.as_ptr() as usize))
    }

    /// The first `pages` pages, as one region.
    ///
    /// # Safety
    ///
    /// They all have been placed, and the mapping outlives the region.
    pub(crate) unsafe fn region(&self, pages: usize) -> SharedRegion {
        assert!(pages <= self.pages, "a region leaves the mapping");
        // SAFETY: the caller's promise, and invariants 1 and 2.
        unsafe { SharedRegion::from_raw(self.base, pages * PAGE_SIZE) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped with this length in `reserve`; unmapped once, here.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.pages * PAGE_SIZE) };
    }
}

/// Puts private memory in the place of a mapped page: the domain that mapped it was killed, and may not write the peer's page any
/// more while its thread finds out.
///
/// # Safety
///
/// `address` came from [`Mapping::place`], and that mapping has not been dropped.
pub(crate) unsafe fn sever(address: PageAddress) {
    // SAFETY: replaces one page of a live mapping, whose bytes nobody has references to (invariant 2). Should it fail, the page
    // stays as it was, and the peer sees late writes.
    let _ = unsafe {
        mmap_anonymous(
            address.0 as *mut _,
            PAGE_SIZE,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::FIXED,
        )
    };
}
