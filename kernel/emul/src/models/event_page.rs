//! The words of a domain's events as the model checker knows them.

use std::array;
use std::os::fd::{BorrowedFd, OwnedFd};

use loom::sync::atomic::{AtomicU32, AtomicU64};
use rustix::io;

use crate::event_words::EventWords;

/// In place of [`event_page::EventPage`](crate::event_page::EventPage).
#[derive(Debug)]
pub(crate) struct EventPage(EventWords);

impl EventPage {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(EventWords {
            selector: AtomicU64::new(0),
            pending: array::from_fn(|_| AtomicU64::new(0)),
            late: AtomicU64::new(u64::MAX),
            sleeping: AtomicU32::new(0),
            dead: AtomicU32::new(0),
        }))
    }

    pub(crate) fn attach(_page: OwnedFd) -> io::Result<Self> {
        unreachable!("a model has no other process")
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        unreachable!("a model has no descriptors")
    }

    pub(crate) fn words(&self) -> &EventWords {
        &self.0
    }
}
