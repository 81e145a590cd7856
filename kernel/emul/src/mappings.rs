//! Which pages of peers a domain maps.

use morgana_hal::{DomId, GrantRef, MemoryError};

use crate::mapping::PageAddress;

/// Names a mapped page until it is unmapped; numbers are never used again (grant_table.h, `grant_handle_t`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Handle(u64);

impl Handle {
    pub(crate) fn new(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// One mapped page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mapped {
    pub(crate) peer: DomId,
    pub(crate) grant: GrantRef,
    /// Where, if it is in this process.
    pub(crate) address: Option<PageAddress>,
}

/// A handle that names no mapping (any more).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StaleHandle;

#[derive(Debug)]
pub(crate) struct Mappings {
    mapped: std::collections::BTreeMap<Handle, Mapped>,
    limit: usize,
    next: u64,
}

impl Mappings {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            mapped: std::collections::BTreeMap::new(),
            limit,
            next: 0,
        }
    }

    /// Fails where [`add`](Self::add) would.
    pub(crate) fn check_room(&self) -> Result<(), MemoryError> {
        if self.mapped.len() < self.limit {
            Ok(())
        } else {
            Err(MemoryError::NoAddressSpace)
        }
    }

    pub(crate) fn add(&mut self, mapped: Mapped) -> Result<Handle, MemoryError> {
        self.check_room()?;
        let handle = Handle(self.next);
        self.next += 1;
        self.mapped.insert(handle, mapped);
        Ok(handle)
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Result<Mapped, StaleHandle> {
        self.mapped.remove(&handle).ok_or(StaleHandle)
    }

    pub(crate) fn take_all(&mut self) -> Vec<Mapped> {
        core::mem::take(&mut self.mapped).into_values().collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mapped> {
        self.mapped.values()
    }
}
