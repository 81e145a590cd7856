//! Grants, as the hal knows them.
//!
//! Invariants:
//!
//! 1. An [`EmulShared`] or [`EmulReadOnly`] owns its run of pages in the domain's backing: the allocator gives a page to one value at
//!    a time, and gets it back only when the value is dropped. So nobody else makes references into these pages' own view.
//! 2. `life` keeps the books open while the value lives; `backing` keeps the mapping.

use core::ptr::slice_from_raw_parts_mut;
use std::rc::Rc;
use std::sync::Arc;

use morgana_hal::{
    CopyFrom, CopyTo, DomId, GrantRef, Memory, MemoryError, PAGE_SIZE, Pages, ReadOnlyPages,
    SharedPages, SharedRegion,
};

use crate::backing::Backing;
use crate::domain::Life;
use crate::grants::Access;
use crate::mapping::Mapping;
use crate::mappings::Handle;

/// A domain's grants.
#[derive(Clone, Debug)]
pub struct EmulMemory {
    life: Rc<Life>,
}

/// The own pages behind a share, and their grants.
#[derive(Debug)]
struct Granted {
    life: Rc<Life>,
    backing: Arc<Backing>,
    first: usize,
    grants: Vec<GrantRef>,
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.life.end_sharing(&self.grants);
    }
}

/// Own pages that a peer may read and write.
#[derive(Debug)]
pub struct EmulShared {
    granted: Granted,
    region: SharedRegion,
}

/// Own pages that a peer may only read.
#[derive(Debug)]
pub struct EmulReadOnly {
    granted: Granted,
}

/// A peer's pages, mapped.
#[derive(Debug)]
pub struct EmulImported {
    life: Rc<Life>,
    handles: Vec<Handle>,
    region: SharedRegion,
    /// Dropped after `drop` has taken the handles off the books.
    _mapping: Mapping,
}

impl EmulMemory {
    pub(crate) fn new(life: Rc<Life>) -> Self {
        Self { life }
    }

    fn grant(&self, peer: DomId, pages: usize, access: Access) -> Result<Granted, MemoryError> {
        let (backing, first, grants) = self.life.share(peer, pages, access)?;
        Ok(Granted {
            life: self.life.clone(),
            backing,
            first,
            grants,
        })
    }

    /// The value for a page that the toolstack has granted for this domain; once only.
    pub(crate) fn built_page(&self, page: usize, grant: GrantRef) -> Option<EmulShared> {
        let backing = self.life.backing()?;
        Some(EmulShared::new(Granted {
            life: self.life.clone(),
            backing,
            first: page,
            grants: vec![grant],
        }))
    }
}

impl EmulShared {
    fn new(granted: Granted) -> Self {
        let base = granted.backing.own_page(granted.first);
        // SAFETY: 1. the pages lie in the backing's own view, page-aligned, and `granted` keeps it mapped as long as the region
        // lives; 2. nobody makes references into them (invariant 1), this value included.
        let region = unsafe { SharedRegion::from_raw(base, granted.grants.len() * PAGE_SIZE) };
        Self { granted, region }
    }
}

impl Memory for EmulMemory {
    type Shared = EmulShared;
    type ReadOnly = EmulReadOnly;
    type Imported = EmulImported;

    fn share(&self, peer: DomId, pages: usize) -> Result<EmulShared, MemoryError> {
        let granted = self.grant(peer, pages, Access::ReadWrite)?;
        Ok(EmulShared::new(granted))
    }

    fn share_read_only(&self, peer: DomId, pages: usize) -> Result<EmulReadOnly, MemoryError> {
        let granted = self.grant(peer, pages, Access::ReadOnly)?;
        Ok(EmulReadOnly { granted })
    }

    /// # Errors
    ///
    /// Besides what Xen refuses: [`MemoryError::BadGrant`] for a page that this domain maps already.
    fn import(&self, peer: DomId, grants: &[GrantRef]) -> Result<EmulImported, MemoryError> {
        let (mapping, handles) = self.life.map(peer, grants)?;
        // SAFETY: `map` has placed `grants.len()` pages, and the mapping is kept beside the region.
        let region = unsafe { mapping.region(grants.len()) };
        Ok(EmulImported {
            life: self.life.clone(),
            handles,
            region,
            _mapping: mapping,
        })
    }

    fn copy_from(&self, peer: DomId, operations: &mut [CopyFrom<'_>]) {
        for operation in operations {
            let (grant, offset) = (operation.grant, operation.offset);
            operation.status = self.life.copy_from(peer, grant, offset, operation.into);
        }
    }

    fn copy_to(&self, peer: DomId, operations: &mut [CopyTo<'_>]) {
        for operation in operations {
            let (grant, offset) = (operation.grant, operation.offset);
            operation.status = self.life.copy_to(peer, grant, offset, operation.from);
        }
    }
}

// SAFETY: `region` is never changed, and `granted` keeps its pages until the value is dropped, wherever it is moved.
unsafe impl Pages for EmulShared {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}

impl SharedPages for EmulShared {
    fn grants(&self) -> &[GrantRef] {
        &self.granted.grants
    }
}

impl ReadOnlyPages for EmulReadOnly {
    fn grants(&self) -> &[GrantRef] {
        &self.granted.grants
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the pages are mapped while `granted` lives, hold initialised bytes, and only this value makes references to them
        // or writes them under these addresses (invariant 1); peers read through other mappings.
        unsafe { &*self.raw_bytes() }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`; `&mut self` makes the reference the only one.
        unsafe { &mut *self.raw_bytes() }
    }
}

impl EmulReadOnly {
    fn raw_bytes(&self) -> *mut [u8] {
        let base = self.granted.backing.own_page(self.granted.first);
        slice_from_raw_parts_mut(base.as_ptr(), self.granted.grants.len() * PAGE_SIZE)
    }
}

// SAFETY: `region` is never changed, and the mapping keeps its pages until the value is dropped, wherever it is moved.
unsafe impl Pages for EmulImported {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}

impl Drop for EmulImported {
    fn drop(&mut self) {
        self.life.unmap(&self.handles);
    }
}
