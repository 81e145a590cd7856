//! A peer's pages, mapped.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use morgana_hal::{CopyFrom, DomId, GrantRef, MemoryError, Pages, Port, SharedRegion};
use rustix::io::Errno;

use super::mapping::Mapping;
use super::{Devices, copy};
use crate::ioctl::gntdev::{Index, announce_map, forget_map};
use crate::ioctl::unmap_notify;

/// A peer's pages, mapped. Dropping them unmaps.
#[derive(Debug)]
pub struct LinuxImported {
    region: SharedRegion,
    // Dropped in this order: the kernel unmaps when the pages leave the address space.
    _mapping: Mapping,
    announced: Option<Announced>,
}

/// A mapping that the kernel knows of.
#[derive(Debug)]
struct Announced {
    devices: Rc<Devices>,
    index: Index,
    count: u32,
}

impl LinuxImported {
    pub(super) fn new(
        devices: Rc<Devices>,
        peer: DomId,
        grants: &[GrantRef],
    ) -> Result<Self, MemoryError> {
        let (mapping, announced) = if grants.is_empty() {
            (Mapping::empty(), None)
        } else {
            let announced = Announced::new(devices, peer, grants)?;
            let device = &announced.devices.gntdev;
            let mapping = Mapping::new(device, announced.index.0, grants.len())
                .map_err(|errno| error(errno, device, peer, grants))?;
            (mapping, Some(announced))
        };
        // SAFETY: the mapping is kept beside the region, and nobody makes references into it.
        let region = unsafe { mapping.region() };
        Ok(Self {
            region,
            _mapping: mapping,
            announced,
        })
    }
}

impl Announced {
    fn new(devices: Rc<Devices>, peer: DomId, grants: &[GrantRef]) -> Result<Self, MemoryError> {
        let count = u32::try_from(grants.len()).map_err(|_| MemoryError::NoAddressSpace)?;
        // The kernel refuses more pages than its module's parameter `limit` allows in one mapping, or has no frames to map them at.
        let index =
            announce_map(&devices.gntdev, peer, grants).map_err(|_| MemoryError::NoAddressSpace)?;
        Ok(Self {
            devices,
            index,
            count,
        })
    }
}

/// Why `mmap` refused: for want of memory, or by what Xen said of a grant. The kernel does not pass that on, but a copy's status it does.
fn error(errno: Errno, device: &OwnedFd, peer: DomId, grants: &[GrantRef]) -> MemoryError {
    if let Errno::NOMEM | Errno::AGAIN = errno {
        return MemoryError::NoAddressSpace;
    }
    let mut byte = [0];
    let mut probe = [CopyFrom {
        grant: grants.first().copied().unwrap_or(GrantRef::new(0)),
        offset: 0,
        into: &mut byte,
        status: Ok(()),
    }];
    copy::from(device, peer, &mut probe);
    match probe[0].status {
        Err(MemoryError::NoSuchDomain) => MemoryError::NoSuchDomain,
        // Another grant of these, or not granted to be written.
        _ => MemoryError::BadGrant,
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // It was announced, and is forgotten once.
        let _ = forget_map(&self.devices.gntdev, self.index, self.count);
    }
}

// SAFETY: `region` is never changed, and the mapping keeps its pages until the value is dropped, wherever it is moved.
unsafe impl Pages for LinuxImported {
    fn region(&self) -> &SharedRegion {
        &self.region
    }

    fn tell_when_gone(&self, offset: usize, port: Port) {
        if let Some(Announced { devices, index, .. }) = &self.announced {
            // It fails for places outside the pages, and ports that are not open.
            let _ = unmap_notify::set(&devices.gntdev, index.0 + offset as u64, port);
        }
    }
}
