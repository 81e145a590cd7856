//! The page with a domain's [`EventWords`], in memory that two processes can map.
//!
//! Invariants: `words` points to a mapping of the first page of `fd` that belongs to the value, is readable and writable, page-aligned, and
//! lives until the value is dropped. Nobody accesses it but by the atomics of [`EventWords`].

use core::ptr::{NonNull, null_mut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use morgana_hal::PAGE_SIZE;
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use rustix::io;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::event_words::EventWords;
use crate::sync::Ordering;

const _: () = assert!(size_of::<EventWords>() <= PAGE_SIZE);

#[derive(Debug)]
pub(crate) struct EventPage {
    fd: OwnedFd,
    words: NonNull<EventWords>,
}

// SAFETY: the pointer is to a mapping that belongs to the value and to no thread; what is in it are atomics.
unsafe impl Send for EventPage {}
// SAFETY: as for `Send`.
unsafe impl Sync for EventPage {}

impl EventPage {
    /// A page without events.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = memfd_create("morgana-events", flags)?;
        ftruncate(&fd, PAGE_SIZE as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let page = Self::attach(fd)?;
        page.words().late.store(u64::MAX, Ordering::SeqCst);
        Ok(page)
    }

    /// The page that another process has made. It must be one, and stay one: to touch what is not there would end this process.
    pub(crate) fn attach(fd: OwnedFd) -> io::Result<Self> {
        let sealed = fcntl_get_seals(&fd)?.contains(SealFlags::SHRINK);
        if !sealed || fstat(&fd)?.st_size < PAGE_SIZE as i64 {
            return Err(io::Errno::INVAL);
        }
        // SAFETY: no address is asked for, so no existing mapping changes.
        let base = unsafe {
            mmap(
                null_mut(),
                PAGE_SIZE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &fd,
                0,
            )
        }?;
        let words = NonNull::new(base.cast()).ok_or(io::Errno::NOMEM)?;
        Ok(Self { fd, words })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn words(&self) -> &EventWords {
        // SAFETY: mapped, aligned and large enough while `self` lives (the module's invariants); any bytes are valid atomics, and all who
        // access them, in this process or another, do so atomically.
        unsafe { self.words.as_ref() }
    }
}

impl Drop for EventPage {
    fn drop(&mut self) {
        // SAFETY: mapped with this length in `attach`; unmapped once, here.
        let _ = unsafe { munmap(self.words.as_ptr().cast(), PAGE_SIZE) };
    }
}
