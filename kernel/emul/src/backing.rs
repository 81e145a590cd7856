//! A domain's shareable memory: one memfd, seen through three mappings.
//!
//! Invariants:
//!
//! 1. A [`View`] is a mapping of the first `len` bytes of a memfd that cannot shrink, page-aligned, that lives until the value is dropped. It
//!    can be read, and written if it was made so: `own` and `foreign` are, `readable` is not. All three have `pages × 4,096` bytes.
//! 2. Only the owner's side (`memory::EmulShared`, `memory::EmulReadOnly`) touches `own`; all that happens on behalf of others goes
//!    through the other two or through further mappings of `fd`. So a reference to bytes under `own` never meets an access by another
//!    thread to the same address: to the compiler a peer's write is what it is on Xen, one from outside the program.

use core::ptr::{NonNull, null_mut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use morgana_hal::{PAGE_SIZE, ReadRegion, SharedRegion};
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use rustix::io;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

#[derive(Debug)]
pub(crate) struct Backing {
    fd: OwnedFd,
    /// The owner's.
    own: View,
    /// Through which others write what they may write.
    foreign: View,
    /// Through which others read. A page that they may only read is never under their hands in any other way.
    readable: View,
    pages: usize,
}

#[derive(Debug)]
struct View {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the pointer is to a mapping that belongs to the value and to no thread; what is done through it is atomic (`foreign`, `readable`)
// or falls to the page's one owner (`own`, invariant 2).
unsafe impl Send for View {}
// SAFETY: as for `Send`: no method gives out a reference to the bytes under `own`, and the others are accessed atomically only.
unsafe impl Sync for View {}

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
        let both = ProtFlags::READ | ProtFlags::WRITE;
        Ok(Self {
            own: View::new(&fd, len, both)?,
            foreign: View::new(&fd, len, both)?,
            readable: View::new(&fd, len, ProtFlags::READ)?,
            fd,
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
        unsafe { self.own.base.add(page * PAGE_SIZE) }
    }

    /// One page as everybody but its owner sees it, to write.
    pub(crate) fn with_foreign_page(&self, page: usize, use_it: impl FnOnce(&SharedRegion)) {
        assert!(page < self.pages, "a page number leaves the domain");
        // SAFETY: inside a writable mapping by the check above, which lives as long as `self` (invariant 1) and is page-aligned; nobody
        // makes references into `foreign` (invariant 2).
        let region = unsafe {
            let base = self.foreign.base.add(page * PAGE_SIZE);
            SharedRegion::from_raw(base, PAGE_SIZE)
        };
        use_it(&region);
    }

    /// One page as everybody but its owner sees it, to read.
    pub(crate) fn with_readable_page(&self, page: usize, use_it: impl FnOnce(&ReadRegion)) {
        assert!(page < self.pages, "a page number leaves the domain");
        // SAFETY: inside a readable mapping by the check above, which lives as long as `self` (invariant 1) and is page-aligned; nobody
        // makes references into `readable` (invariant 2).
        let region = unsafe {
            let base = self.readable.base.add(page * PAGE_SIZE);
            ReadRegion::from_raw(base, PAGE_SIZE)
        };
        use_it(&region);
    }

    /// Fills pages with zeros. They are to be free: nobody else writes them.
    pub(crate) fn zero(&self, first: usize, count: usize) {
        const ZEROS: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
        for page in first..first + count {
            self.with_foreign_page(page, |region| region.write(0, &ZEROS));
        }
    }
}

fn byte_length(pages: usize) -> io::Result<usize> {
    match pages.checked_mul(PAGE_SIZE) {
        Some(0) | None => Err(io::Errno::INVAL),
        Some(len) => Ok(len),
    }
}

impl View {
    fn new(fd: &OwnedFd, len: usize, protection: ProtFlags) -> io::Result<Self> {
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: no address is asked for, so no existing mapping changes.
        let base = unsafe { mmap(null_mut(), len, protection, flags, fd, 0) }?;
        let base = NonNull::new(base.cast()).ok_or(io::Errno::NOMEM)?;
        Ok(Self { base, len })
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: mapped with this length in `new` and unmapped once, here; whoever holds pointers into it also holds the `Arc` that its
        // `Backing` is in.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}
