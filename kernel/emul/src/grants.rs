//! One domain's grant table.

use morgana_hal::{DomId, GrantRef, MemoryError};

/// `GNTTAB_NR_RESERVED_ENTRIES` (grant_table.h): the first entries belong to the toolstack.
pub(crate) const RESERVED_ENTRIES: u32 = 8;
/// `GNTTAB_RESERVED_XENSTORE` (grant_table.h).
pub(crate) const XENSTORE_ENTRY: u32 = 1;

/// What the peer may do with the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

/// An entry in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grant {
    pub(crate) peer: DomId,
    pub(crate) access: Access,
    pub(crate) page: usize,
    pub(crate) mapped: bool,
    /// The owner has ended the access, but the peer still maps the page.
    pub(crate) quarantined: bool,
}

/// What became of an entry whose access was ended, or that was unmapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum After {
    /// The entry is free again, and so is this page.
    Freed { page: usize },
    /// The entry stays.
    Kept,
}

#[derive(Debug)]
pub(crate) struct GrantTable {
    entries: Vec<Option<Grant>>,
    free: Vec<u32>,
}

impl GrantTable {
    pub(crate) fn new(entries: u32) -> Self {
        Self {
            entries: vec![None; entries as usize],
            // The lowest is taken first.
            free: (RESERVED_ENTRIES..entries).rev().collect(),
        }
    }

    pub(crate) fn free_entries(&self) -> usize {
        self.free.len()
    }

    /// Grants a page by a free entry.
    pub(crate) fn add(
        &mut self,
        peer: DomId,
        access: Access,
        page: usize,
    ) -> Result<GrantRef, MemoryError> {
        let index = self.free.pop().ok_or(MemoryError::NoFreeGrant)?;
        self.set(index, peer, access, page);
        Ok(GrantRef::new(index))
    }

    /// Grants a page by a reserved entry, which is to be free.
    pub(crate) fn add_reserved(&mut self, index: u32, peer: DomId, page: usize) {
        debug_assert!(index < RESERVED_ENTRIES && self.entries[index as usize].is_none());
        self.set(index, peer, Access::ReadWrite, page);
    }

    fn set(&mut self, index: u32, peer: DomId, access: Access, page: usize) {
        self.entries[index as usize] = Some(Grant {
            peer,
            access,
            page,
            mapped: false,
            quarantined: false,
        });
    }

    /// The entry that `user` wants to use for `access`, if it may.
    pub(crate) fn check(
        &mut self,
        reference: GrantRef,
        user: DomId,
        access: Access,
    ) -> Result<&mut Grant, MemoryError> {
        match self.entries.get_mut(reference.number() as usize) {
            Some(Some(grant))
                if grant.peer == user
                    && !grant.quarantined
                    && (access == Access::ReadOnly || grant.access == Access::ReadWrite) =>
            {
                Ok(grant)
            }
            _ => Err(MemoryError::BadGrant),
        }
    }

    /// The owner ends the access.
    pub(crate) fn end(&mut self, reference: GrantRef) -> After {
        let index = reference.number();
        match self.entries.get_mut(index as usize) {
            Some(Some(grant)) if grant.mapped => {
                grant.quarantined = true;
                After::Kept
            }
            Some(_) => self.release(index),
            None => After::Kept,
        }
    }

    /// The peer has unmapped the page.
    pub(crate) fn unmapped(&mut self, reference: GrantRef) -> After {
        let index = reference.number();
        match &mut self.entries[index as usize] {
            Some(grant) => {
                grant.mapped = false;
                if grant.quarantined {
                    self.release(index)
                } else {
                    After::Kept
                }
            }
            None => After::Kept,
        }
    }

    fn release(&mut self, index: u32) -> After {
        match self.entries[index as usize].take() {
            Some(grant) => {
                if index >= RESERVED_ENTRIES {
                    self.free.push(index);
                }
                After::Freed { page: grant.page }
            }
            None => After::Kept,
        }
    }

    /// All entries in use, in order.
    pub(crate) fn used(&self) -> impl Iterator<Item = (GrantRef, &Grant)> {
        self.entries
            .iter()
            .zip(0u32..)
            .filter_map(|(entry, index)| Some((GrantRef::new(index), entry.as_ref()?)))
    }

    pub(crate) fn used_count(&self) -> usize {
        self.used().count()
    }

    pub(crate) fn quarantined_count(&self) -> usize {
        self.used().filter(|(_, grant)| grant.quarantined).count()
    }

    pub(crate) fn mapped_count(&self) -> usize {
        self.used().filter(|(_, grant)| grant.mapped).count()
    }

    pub(crate) fn size(&self) -> usize {
        self.entries.len()
    }
}
