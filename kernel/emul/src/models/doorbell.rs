//! An eventfd as the model checker knows it.

use std::os::fd::{BorrowedFd, OwnedFd};

use std::sync::PoisonError;

use loom::sync::{Condvar, Mutex, MutexGuard};
use rustix::io;

/// In place of [`doorbell::Doorbell`](crate::doorbell::Doorbell).
#[derive(Debug)]
pub(crate) struct Doorbell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Doorbell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            rung: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn attach(_descriptor: OwnedFd) -> Self {
        unreachable!("a model has no other process")
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        unreachable!("a model has no descriptors")
    }

    pub(crate) fn ring(&self) {
        *self.rung() = true;
        self.changed.notify_one();
    }

    pub(crate) fn drain(&self) {
        *self.rung() = false;
    }

    /// Waits until it was rung: what a domain's thread does with the descriptor.
    pub(crate) fn wait(&self) {
        let mut rung = self.rung();
        while !*rung {
            rung = self
                .changed
                .wait(rung)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn rung(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
