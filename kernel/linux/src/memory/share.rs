//! Own pages that a peer may use.
//!
//! The pages are the kernel's. When this process lets go of one that the peer still maps, the kernel keeps it until the peer lets go too, and
//! never gives it to this process (or anybody) before: that is the quarantine which the hal asks for.
//!
//! Invariant: a [`Granted`] owns its pages: nobody else maps them in this process. A `LinuxShared` reaches them through its region only, a
//! `LinuxReadOnly` through slices only.

use std::rc::Rc;

use morgana_hal::{
    DomId, GrantRef, MemoryError, Pages, Port, ReadOnlyPages, SharedPages, SharedRegion,
};
use rustix::io::Errno;

use super::Devices;
use super::mapping::Mapping;
use crate::ioctl::gntalloc::{Access, Index, allocate, deallocate};
use crate::ioctl::unmap_notify;

/// Pages in one share. The module's own limit is mostly far below, but the kernel prepares for what it is asked before it looks.
const MOST: u32 = 1 << 16;

/// Pages and their grants.
#[derive(Debug)]
struct Granted {
    // Dropped in this order: the kernel ends a grant when its page is neither mapped here nor allocated any more.
    mapping: Mapping,
    allocation: Allocation,
}

#[derive(Debug)]
struct Allocation {
    devices: Rc<Devices>,
    index: Index,
    grants: Vec<GrantRef>,
}

impl Granted {
    fn new(
        devices: Rc<Devices>,
        peer: DomId,
        pages: usize,
        access: Access,
    ) -> Result<Self, MemoryError> {
        let allocation = Allocation::new(devices, peer, pages, access)?;
        let mapping = if pages == 0 {
            Mapping::empty()
        } else {
            Mapping::new(&allocation.devices.gntalloc, allocation.index.0, pages)
                .map_err(|_| MemoryError::OutOfMemory)?
        };
        Ok(Self {
            mapping,
            allocation,
        })
    }
}

impl Allocation {
    fn new(
        devices: Rc<Devices>,
        peer: DomId,
        pages: usize,
        access: Access,
    ) -> Result<Self, MemoryError> {
        let (index, grants) = if pages == 0 {
            (Index(0), Vec::new())
        } else {
            let count = u32::try_from(pages).ok();
            let count = count
                .filter(|&count| count <= MOST)
                .ok_or(MemoryError::NoFreeGrant)?;
            allocate(&devices.gntalloc, peer, count, access).map_err(error)?
        };
        devices.shared.update(|shared| shared + grants.len());
        Ok(Self {
            devices,
            index,
            grants,
        })
    }
}

fn error(errno: Errno) -> MemoryError {
    match errno {
        // Beyond the module's limit, or the domain's grant table is full.
        Errno::NOSPC => MemoryError::NoFreeGrant,
        _ => MemoryError::OutOfMemory,
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        if self.grants.is_empty() {
            return;
        }
        let devices = &self.devices;
        devices.shared.update(|shared| shared - self.grants.len());
        // It fits: the count went in as a u32. The pages are this process's, so this does not fail.
        let _ = deallocate(&devices.gntalloc, self.index, self.grants.len() as u32);
    }
}

/// Own pages that a peer may read and write.
#[derive(Debug)]
pub struct LinuxShared {
    region: SharedRegion,
    granted: Granted,
}

impl LinuxShared {
    pub(super) fn new(
        devices: Rc<Devices>,
        peer: DomId,
        pages: usize,
        access: Access,
    ) -> Result<Self, MemoryError> {
        let granted = Granted::new(devices, peer, pages, access)?;
        // SAFETY: the mapping is kept beside the region, and this value makes no references into it (the module's invariant).
        let region = unsafe { granted.mapping.region() };
        Ok(Self { region, granted })
    }
}

// SAFETY: `region` is never changed, and `granted` keeps its pages mapped until the value is dropped, wherever it is moved.
unsafe impl Pages for LinuxShared {
    fn region(&self) -> &SharedRegion {
        &self.region
    }

    fn tell_when_gone(&self, offset: usize, port: Port) {
        let Allocation { devices, index, .. } = &self.granted.allocation;
        // It fails for places outside the pages, and ports that are not open.
        let _ = unmap_notify::set(&devices.gntalloc, index.0 + offset as u64, port);
    }
}

impl SharedPages for LinuxShared {
    fn grants(&self) -> &[GrantRef] {
        &self.granted.allocation.grants
    }
}

/// Own pages that a peer may only read.
#[derive(Debug)]
pub struct LinuxReadOnly(Granted);

impl LinuxReadOnly {
    pub(super) fn new(
        devices: Rc<Devices>,
        peer: DomId,
        pages: usize,
        access: Access,
    ) -> Result<Self, MemoryError> {
        Granted::new(devices, peer, pages, access).map(Self)
    }
}

impl ReadOnlyPages for LinuxReadOnly {
    fn grants(&self) -> &[GrantRef] {
        &self.0.allocation.grants
    }

    fn bytes(&self) -> &[u8] {
        let mapping = &self.0.mapping;
        // SAFETY: 1. the pages are mapped while `self` lives, and initialised: the kernel has zeroed them; 2. the peer may only read
        // them, and in this process only this value reaches them (the module's invariant), to write with `&mut self`.
        unsafe { core::slice::from_raw_parts(mapping.base().as_ptr(), mapping.len()) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        let mapping = &self.0.mapping;
        // SAFETY: as for `bytes`; `&mut self` makes the reference the only one.
        unsafe { core::slice::from_raw_parts_mut(mapping.base().as_ptr(), mapping.len()) }
    }
}
