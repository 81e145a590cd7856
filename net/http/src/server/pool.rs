//! Blocks of memory for requests that are being read or answered. A connection that waits has none.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::ops::{Deref, DerefMut};

use super::Limits;

/// Bytes of a small block: enough for the heads that most clients send, and for any head that the server writes.
pub(super) const SMALL: usize = 1024;

/// Where blocks come from. Small ones are only bounded by what the connections can hold at a time (two each); large
/// ones are counted.
#[derive(Debug)]
pub(super) struct Pool {
    /// Small blocks for reuse, so that a request on a busy server allocates nothing.
    spare: RefCell<Vec<Vec<u8>>>,
    spare_limit: usize,
    large: usize,
    large_in_use: Cell<usize>,
    large_limit: usize,
}

impl Pool {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            spare: RefCell::new(Vec::with_capacity(limits.spare_blocks)),
            spare_limit: limits.spare_blocks,
            // A head over the limit shows by its first byte too many, for which there is room.
            large: limits.head.max(SMALL) + 1,
            large_in_use: Cell::new(0),
            large_limit: limits.large_heads,
        }
    }

    /// A small block. `None` when the heap is exhausted.
    pub(super) fn small(&self) -> Option<Block<'_>> {
        let spare = self.spare.borrow_mut().pop();
        let bytes = match spare {
            Some(bytes) => bytes,
            None => zeroed(SMALL)?,
        };
        Some(Block { bytes, pool: self })
    }

    /// A block for any head within the limit. `None` when too many are out, or when the heap is exhausted.
    pub(super) fn large(&self) -> Option<Block<'_>> {
        if self.large_in_use.get() >= self.large_limit {
            return None;
        }
        let bytes = zeroed(self.large)?;
        self.large_in_use.set(self.large_in_use.get() + 1);
        Some(Block { bytes, pool: self })
    }
}

/// Zeroed bytes, or `None` instead of a panic when there is no memory.
fn zeroed(length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    bytes.resize(length, 0);
    Some(bytes)
}

/// A block on loan. Its bytes are whatever the last user left there: nobody reads what it has not written.
#[derive(Debug)]
pub(super) struct Block<'p> {
    bytes: Vec<u8>,
    pool: &'p Pool,
}

impl Block<'_> {
    pub(super) fn is_large(&self) -> bool {
        self.bytes.len() > SMALL
    }
}

impl Deref for Block<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Block<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        if self.is_large() {
            self.pool.large_in_use.set(self.pool.large_in_use.get() - 1);
            return;
        }
        let mut spare = self.pool.spare.borrow_mut();
        if spare.len() < self.pool.spare_limit {
            spare.push(core::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blocks_are_counted_and_come_back() {
        let pool = Pool::new(&Limits {
            large_heads: 2,
            ..Limits::DEFAULT
        });
        let (first, _second) = (pool.large().expect("free"), pool.large().expect("free"));
        assert_eq!(first.len(), 8 * 1024 + 1);
        assert!(pool.large().is_none());
        drop(first);
        assert!(pool.large().is_some());
    }

    #[test]
    fn small_blocks_are_reused_up_to_the_limit() {
        let pool = Pool::new(&Limits {
            spare_blocks: 1,
            ..Limits::DEFAULT
        });
        drop((pool.small(), pool.small()));
        assert_eq!(pool.spare.borrow().len(), 1);
        let (again, new) = (pool.small().expect("memory"), pool.small().expect("memory"));
        assert!(pool.spare.borrow().is_empty() && again.len() == SMALL && new.len() == SMALL);
    }
}
