//! Grants as `kernel/hal` wants them.

use core::marker::PhantomData;

use morgana_hal::{CopyFrom, CopyTo, DomId, GrantRef, Memory, MemoryError};

use super::{PvImported, PvReadOnly, PvShared, copy};

/// Shares own pages and uses peers'.
#[derive(Debug, Clone, Copy)]
pub struct PvMemory {
    /// Made at boot only, and not to leave its thread.
    pub(in crate::machine) only_here: PhantomData<*const ()>,
}

impl Memory for PvMemory {
    type Shared = PvShared;
    type ReadOnly = PvReadOnly;
    type Imported = PvImported;

    fn share(&self, peer: DomId, pages: usize) -> Result<PvShared, MemoryError> {
        PvShared::new(peer, pages)
    }

    fn share_read_only(&self, peer: DomId, pages: usize) -> Result<PvReadOnly, MemoryError> {
        PvReadOnly::new(peer, pages)
    }

    fn import(&self, peer: DomId, grants: &[GrantRef]) -> Result<PvImported, MemoryError> {
        PvImported::new(peer, grants)
    }

    fn copy_from(&self, peer: DomId, operations: &mut [CopyFrom<'_>]) {
        copy::from(peer, operations);
    }

    fn copy_to(&self, peer: DomId, operations: &mut [CopyTo<'_>]) {
        copy::to(peer, operations);
    }
}
