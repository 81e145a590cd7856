//! A peer's pages, mapped.

extern crate alloc;

use alloc::vec::Vec;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use morgana_abi::PAGE_SIZE;
use morgana_abi::grant_table::{GNTMAP_HOST_MAP, GNTST_OKAY, MapGrantRef, UnmapGrantRef};
use morgana_hal::{DomId, GrantRef, MemoryError, Pages, SharedRegion};

use super::error;
use crate::machine::hypercall;
use crate::machine::memory::{MapError, Window};

/// Mapped pages of a peer. Dropping them unmaps.
///
/// Invariant: page `index` of the window is mapped under `handles[index]` for each handle, and nothing else is mapped there.
#[derive(Debug)]
pub struct PvImported {
    region: SharedRegion,
    mapped: Mapped,
}

#[derive(Debug)]
struct Mapped {
    /// `None` once unmapping has failed: then the addresses are not used again.
    window: Option<Window>,
    handles: Vec<u32>,
}

impl PvImported {
    pub(super) fn new(peer: DomId, grants: &[GrantRef]) -> Result<Self, MemoryError> {
        let window = Window::new(grants.len().max(1)).map_err(|error| match error {
            MapError::OutOfFrames => MemoryError::OutOfMemory,
            MapError::OutOfAddressSpace | MapError::Refused => MemoryError::NoAddressSpace,
        })?;
        let mut handles = Vec::new();
        handles
            .try_reserve_exact(grants.len())
            .map_err(|_| MemoryError::OutOfMemory)?;
        let base = NonNull::new(with_exposed_provenance_mut::<u8>(window.address(0)))
            .ok_or(MemoryError::NoAddressSpace)?;
        let mut mapped = Mapped {
            window: Some(window),
            handles,
        };
        for chunk in grants.chunks(BATCH) {
            // A failure drops `mapped`, which unmaps what was mapped.
            mapped.add(peer, chunk)?;
        }
        // SAFETY: all pages of the window are mapped now and stay so while `mapped` lives; nothing refers to them.
        let region = unsafe { SharedRegion::from_raw(base, grants.len() * PAGE_SIZE) };
        Ok(Self { region, mapped })
    }
}

// SAFETY: `region` is never changed, and `mapped` keeps its pages mapped until the value is dropped, wherever it is moved.
unsafe impl Pages for PvImported {
    fn region(&self) -> &SharedRegion {
        debug_assert!(self.mapped.window.is_some());
        &self.region
    }
}

/// Operations in one hypercall.
const BATCH: usize = 16;

impl Mapped {
    fn add(&mut self, peer: DomId, grants: &[GrantRef]) -> Result<(), MemoryError> {
        let Some(window) = &self.window else {
            return Err(MemoryError::NoAddressSpace);
        };
        let first = self.handles.len();
        let mut operations = [MapGrantRef::default(); BATCH];
        let operations = &mut operations[..grants.len()];
        for (index, (operation, grant)) in operations.iter_mut().zip(grants).enumerate() {
            *operation = MapGrantRef {
                host_addr: window.address(first + index) as u64,
                flags: GNTMAP_HOST_MAP,
                reference: grant.number(),
                dom: peer.number(),
                // Not a status of Xen's: an operation that it did not get to must not look like a success.
                status: i16::MIN,
                ..Default::default()
            };
        }
        // SAFETY: the addresses are pages of our window that nothing is mapped at yet.
        unsafe { hypercall::map_grants(operations) }.map_err(|_| MemoryError::BadGrant)?;
        let failed = operations
            .iter()
            .find(|operation| operation.status != GNTST_OKAY);
        let Some(failed) = failed.map(|operation| operation.status) else {
            self.handles
                .extend(operations.iter().map(|operation| operation.handle));
            return Ok(());
        };
        for operation in operations
            .iter()
            .filter(|operation| operation.status == GNTST_OKAY)
        {
            if unmap(operation.host_addr as usize, operation.handle).is_err() {
                self.abandon();
            }
        }
        Err(error(failed))
    }

    fn abandon(&mut self) {
        core::mem::forget(self.window.take());
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        let Some(window) = &self.window else {
            return;
        };
        let mut intact = true;
        for (index, &handle) in self.handles.iter().enumerate() {
            intact &= unmap(window.address(index), handle).is_ok();
        }
        if !intact {
            self.abandon();
        }
    }
}

/// Unmaps one page.
fn unmap(address: usize, handle: u32) -> Result<(), MemoryError> {
    let mut operation = [UnmapGrantRef {
        host_addr: address as u64,
        dev_bus_addr: 0,
        handle,
        status: i16::MIN,
    }];
    // SAFETY: called at the end of the mapping's life only, when no region leads there any more.
    unsafe { hypercall::unmap_grants(&mut operation) }.map_err(|_| MemoryError::BadGrant)?;
    if operation[0].status == GNTST_OKAY {
        Ok(())
    } else {
        Err(error(operation[0].status))
    }
}
