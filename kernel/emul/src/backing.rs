//! A domain's shareable memory: one memfd, seen through two mappings.
//!
//! Invariants:
//!
//! 1. `own` and `foreign` are mappings of the same `pages × 4,096` bytes of `fd`, readable and writable, page-aligned, and live
//!    until the value is dropped.
//! 2. Only the owner's side (`memory::EmulShared`, `memory::EmulReadOnly`) touches `own`; all that happens on behalf of others goes
//!    through `foreign` or through further mappings of `fd`. So a reference to bytes under `own` never meets an access by another
//!    thread to the same address: to the compiler a peer's write is what it is on Xen, one from outside the program.

use core::ptr::{NonNull, null_mut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use morgana_hal::{PAGE_SIZE, SharedRegion};
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use rustix::io;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

#[derive(Debug)]
pub(crate) struct Backing {
    fd: OwnedFd,
    own: NonNull<u8>,
    foreign: NonNull<u8>,
    pages: usize,
}

// SAFETY: the pointers are to mappings that belong to the value and to no thread; what is done through them is atomic (`foreign`)
// or falls to the page's one owner (`own`, invariant 2).
unsafe impl Send for Backing {}
// SAFETY: as for `Send`: no method gives out a reference to the bytes under `own`, and `foreign` is accessed atomically only.
unsafe impl Sync for Backing {}

impl Backing {
    pub(crate) fn new(pages: usize) -> io::Result<Self> {
        let len = byte_length(pages)?;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = memfd_create("morgana-domain", flags)?;
        ftruncate(&fd, len as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::over(fd, pages)
    }

    /// The memory behind a descriptor from the hypervisor's process. It must be large enough: to touch what is not there would end this
    /// process. Nobody makes it smaller later, since it is sealed.
    pub(crate) fn attach(fd: OwnedFd, pages: usize) -> io::Result<Self> {
        let sealed = fcntl_get_seals(&fd)?.contains(SealFlags::SHRINK);
        let size = u64::try_from(fstat(&fd)?.st_size).unwrap_or(0);
        if !sealed || size < byte_length(pages)? as u64 {
            return Err(io::Errno::INVAL);
        }
        Self::over(fd, pages)
    }

    fn over(fd: OwnedFd, pages: usize) -> io::Result<Self> {
        let len = byte_length(pages)?;
        let own = map(&fd, len)?;
        let foreign = match map(&fd, len) {
            Ok(foreign) => foreign,
            Err(error) => {
                // SAFETY: the mapping was made above, and nobody has a pointer into it yet.
                let _ = unsafe { munmap(own.as_ptr().cast(), len) };
                return Err(error);
            }
        };
        Ok(Self {
            fd,
            own,
            foreign,
            pages,
        })
    }

    /// How many pages there are.
    pub(crate) fn pages(&self) -> usize {
        self.pages
    }

    /// Whether `count` pages from `first` on are among them.
    pub(crate) fn has(&self, first: usize, count: usize) -> bool {
        first <= self.pages && count <= self.pages - first
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Where page `page` begins in the owner's view.
    pub(crate) fn own_page(&self, page: usize) -> NonNull<u8> {
        assert!(page <= self.pages, "a page number leaves the domain");
        // SAFETY: `page * PAGE_SIZE` is at most the mapping's length (invariant 1 and the check above).
        unsafe { self.own.add(page * PAGE_SIZE) }
    }

    /// One page as everybody but its owner sees it.
    pub(crate) fn with_foreign_page<R>(
        &self,
        page: usize,
        use_it: impl FnOnce(&SharedRegion) -> R,
    ) -> R {
        assert!(page < self.pages, "a page number leaves the domain");
        // SAFETY: inside the mapping by the check above, which lives as long as `self` (invariant 1) and is page-aligned; nobody
        // makes references into `foreign` (invariant 2).
        let region =
            unsafe { SharedRegion::from_raw(self.foreign.add(page * PAGE_SIZE), PAGE_SIZE) };
        use_it(&region)
    }

    /// Fills pages with zeros. They are to be free: nobody else writes them.
    pub(crate) fn zero(&self, first: usize, count: usize) {
        const ZEROS: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
        for page in first..first + count {
            self.with_foreign_page(page, |region| region.write(0, &ZEROS));
        }
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        let len = self.pages * PAGE_SIZE;
        for base in [self.own, self.foreign] {
            // SAFETY: both were mapped with this length in `new` and are unmapped once, here; whoever holds pointers into them also
            // holds the `Arc` that this value is in.
            let _ = unsafe { munmap(base.as_ptr().cast(), len) };
        }
    }
}

fn byte_length(pages: usize) -> io::Result<usize> {
    match pages.checked_mul(PAGE_SIZE) {
        Some(0) | None => Err(io::Errno::INVAL),
        Some(len) => Ok(len),
    }
}

fn map(fd: &OwnedFd, len: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: no address is asked for, so no existing mapping changes.
    let base = unsafe {
        mmap(
            null_mut(),
            len,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::SHARED | MapFlags::NORESERVE,
            fd,
            0,
        )
    }?;
    NonNull::new(base.cast()).ok_or(io::Errno::NOMEM)
}
