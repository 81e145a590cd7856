//! How a queue reaches the pages that its requests name.

use core::cell::RefCell;

use morgana_hal::{CopyFrom, CopyTo, DomId, Memory, PAGE_SIZE, Platform};

use crate::kept::Kept;

/// The pages of a front end: bytes are copied to and from them, through a mapping where the page is one that stays mapped, else by grant copies.
pub(crate) struct Foreign<P: Platform> {
    platform: P,
    peer: DomId,
    kept: RefCell<Kept<P::Memory>>,
}

impl<P: Platform> Foreign<P> {
    /// Keeps at most `limit` pages mapped.
    pub(crate) fn new(platform: &P, peer: DomId, limit: usize) -> Self {
        Self {
            platform: platform.clone(),
            peer,
            kept: RefCell::new(Kept::new(limit)),
        }
    }

    /// How many pages are mapped now, and how many have been mapped so far.
    pub(crate) fn kept(&self) -> (usize, u64) {
        let kept = self.kept.borrow();
        (kept.len(), kept.mapped())
    }

    /// Copies out of the front end's pages, once. The operations come back in another order, each with its status.
    pub(crate) fn copy_from(&self, operations: &mut [CopyFrom<'_>]) {
        let (memory, mut kept) = (self.platform.memory(), self.kept.borrow_mut());
        let rest = sift(operations, |operation| {
            if !is_inside(operation.offset, operation.into.len()) {
                return false;
            }
            let Some(page) = kept.page(memory, self.peer, operation.grant) else {
                return false;
            };
            page.read(operation.offset.into(), operation.into);
            operation.status = Ok(());
            true
        });
        if !rest.is_empty() {
            memory.copy_from(self.peer, rest);
        }
    }

    /// Copies into the front end's pages. The operations come back in another order, each with its status.
    pub(crate) fn copy_to(&self, operations: &mut [CopyTo<'_>]) {
        let (memory, mut kept) = (self.platform.memory(), self.kept.borrow_mut());
        let rest = sift(operations, |operation| {
            if !is_inside(operation.offset, operation.from.len()) {
                return false;
            }
            let Some(page) = kept.page(memory, self.peer, operation.grant) else {
                return false;
            };
            page.write(operation.offset.into(), operation.from);
            operation.status = Ok(());
            true
        });
        if !rest.is_empty() {
            memory.copy_to(self.peer, rest);
        }
    }
}

/// Whether a piece lies in a page. What does not is left to the grant copy, which refuses it.
fn is_inside(offset: u16, len: usize) -> bool {
    len <= PAGE_SIZE && usize::from(offset) <= PAGE_SIZE - len
}

/// Calls `done` for each, and returns those for which it says no.
fn sift<T>(all: &mut [T], mut done: impl FnMut(&mut T) -> bool) -> &mut [T] {
    let mut count = 0;
    for index in 0..all.len() {
        if done(&mut all[index]) {
            all.swap(index, count);
            count += 1;
        }
    }
    &mut all[count..]
}
