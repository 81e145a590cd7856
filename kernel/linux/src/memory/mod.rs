//! Grants: own pages by `/dev/xen/gntalloc`, peers' pages by `/dev/xen/gntdev`.

mod copy;
mod import;
mod mapped_file;
mod mapping;
mod own_ring;
mod share;

use core::cell::Cell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use morgana_hal::{CopyFrom, CopyTo, DomId, GrantRef, Memory, MemoryError};

use crate::ioctl::gntalloc::Access;

pub use import::LinuxImported;
pub use mapped_file::MappedFile;
pub(crate) use mapping::Mapping;
pub use own_ring::LinuxOwnRing;
pub use share::{LinuxReadOnly, LinuxShared};

/// The process's grants.
#[derive(Clone, Debug)]
pub struct LinuxMemory(Rc<Devices>);

/// The two devices, opened once. Closing the one ends all grants, closing the other all mappings.
#[derive(Debug)]
struct Devices {
    gntalloc: OwnedFd,
    gntdev: OwnedFd,
    /// Pages that this process shares now.
    shared: Cell<usize>,
}

impl LinuxMemory {
    pub(crate) fn new(gntalloc: OwnedFd, gntdev: OwnedFd) -> Self {
        Self(Rc::new(Devices {
            gntalloc,
            gntdev,
            shared: Cell::new(0),
        }))
    }

    pub(crate) fn grants_in_use(&self) -> usize {
        self.0.shared.get()
    }
}

impl Memory for LinuxMemory {
    type Shared = LinuxShared;
    type ReadOnly = LinuxReadOnly;
    type Imported = LinuxImported;

    /// # Errors
    ///
    /// [`MemoryError::NoFreeGrant`] if all processes of this domain together would share more pages than the parameter `limit` of the
    /// module xen-gntalloc allows.
    fn share(&self, peer: DomId, pages: usize) -> Result<LinuxShared, MemoryError> {
        LinuxShared::new(self.0.clone(), peer, pages, Access::ReadWrite)
    }

    /// # Errors
    ///
    /// As for `share`.
    fn share_read_only(&self, peer: DomId, pages: usize) -> Result<LinuxReadOnly, MemoryError> {
        LinuxReadOnly::new(self.0.clone(), peer, pages, Access::ReadOnly)
    }

    /// # Errors
    ///
    /// [`MemoryError::NoAddressSpace`] if the kernel has no more room, or the parameter `limit` of the module xen-gntdev does not allow so
    /// many pages in one mapping.
    fn import(&self, peer: DomId, grants: &[GrantRef]) -> Result<LinuxImported, MemoryError> {
        LinuxImported::new(self.0.clone(), peer, grants)
    }

    fn copy_from(&self, peer: DomId, operations: &mut [CopyFrom<'_>]) {
        copy::from(&self.0.gntdev, peer, operations);
    }

    fn copy_to(&self, peer: DomId, operations: &mut [CopyTo<'_>]) {
        copy::to(&self.0.gntdev, peer, operations);
    }
}
