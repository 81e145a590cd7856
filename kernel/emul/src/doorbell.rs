//! What wakes a domain's thread: an eventfd.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io;

/// Once it is rung, its descriptor stays readable until somebody drains it.
#[derive(Debug)]
pub(crate) struct Doorbell(OwnedFd);

impl Doorbell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(
            0,
            EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK,
        )?))
    }

    /// The one that another process has made.
    pub(crate) fn attach(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(crate) fn ring(&self) {
        // The counter is full at 2^64 - 2; then the descriptor is readable already, which is all that is wanted.
        let _ = io::write(&self.0, &1u64.to_ne_bytes());
    }

    pub(crate) fn drain(&self) {
        let mut count = [0; 8];
        // Nothing to read is as good as having read it.
        let _ = io::read(&self.0, &mut count);
    }
}
