//! What a worker and its operator share.

use alloc::rc::Rc;
use core::cell::Cell;

/// What a worker is to do, and has done. Cheap to clone; every clone is the same desk.
#[derive(Clone, Debug, Default)]
pub struct Desk(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    closing: Cell<bool>,
    busy: Cell<bool>,
    done: Cell<u64>,
    failed: Cell<u64>,
}

impl Desk {
    /// No further job is to be taken.
    pub fn close(&self) {
        self.0.closing.set(true);
    }

    /// Whether no further job is to be taken.
    pub fn is_closing(&self) -> bool {
        self.0.closing.get()
    }

    /// A job was taken.
    pub(crate) fn begin(&self) {
        self.0.busy.set(true);
    }

    /// It is done, or has failed.
    pub(crate) fn finish(&self, is_done: bool) {
        self.0.busy.set(false);
        let counter = match is_done {
            true => &self.0.done,
            false => &self.0.failed,
        };
        counter.set(counter.get() + 1);
    }

    /// Whether a job is under way, and how many were done, and have failed.
    pub fn figures(&self) -> (bool, u64, u64) {
        (self.0.busy.get(), self.0.done.get(), self.0.failed.get())
    }
}
