//! Pages of a device file, in the address space.
//!
//! Invariant: `base .. base + pages × 4,096` is a mapping made by this value, readable, writable and shared with the device, and unmapped
//! when it is dropped. No pages, no mapping: `base` then only is aligned.

use core::ptr::{NonNull, null_mut};
use std::os::fd::AsFd;

use morgana_hal::{PAGE_SIZE, SharedRegion};
use rustix::io::{Errno, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    pages: usize,
}

impl Mapping {
    /// Maps `pages` pages of `device` from `offset` on.
    pub(crate) fn new(device: impl AsFd, offset: u64, pages: usize) -> Result<Self> {
        Self::with(MapFlags::SHARED, device, offset, pages)
    }

    /// The same of a file, with all pages brought in at once: each that is touched first later costs a fault.
    pub(crate) fn filled(file: impl AsFd, offset: u64, pages: usize) -> Result<Self> {
        Self::with(MapFlags::SHARED | MapFlags::POPULATE, file, offset, pages)
    }

    fn with(flags: MapFlags, device: impl AsFd, offset: u64, pages: usize) -> Result<Self> {
        let len = pages.checked_mul(PAGE_SIZE).ok_or(Errno::NOMEM)?;
        // SAFETY: no address is asked for, so no existing mapping changes.
        let base = unsafe {
            mmap(
                null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
                device,
                offset,
            )
        }?;
        let base = NonNull::new(base.cast()).ok_or(Errno::NOMEM)?;
        Ok(Self { base, pages })
    }

    /// No pages.
    pub(crate) fn empty() -> Self {
        Self {
            base: NonNull::<u64>::dangling().cast(),
            pages: 0,
        }
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.pages * PAGE_SIZE
    }

    /// All of it.
    ///
    /// # Safety
    ///
    /// The mapping outlives the region, and nobody makes references into it.
    pub(crate) unsafe fn region(&self) -> SharedRegion {
        // SAFETY: mapped and page-aligned (the module's invariant); the rest is the caller's promise.
        unsafe { SharedRegion::from_raw(self.base, self.len()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.pages > 0 {
            // SAFETY: mapped with this length in `new`; unmapped once, here, when no region leads there any more.
            let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len()) };
        }
    }
}
