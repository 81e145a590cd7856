//! Another domain's frames, mapped.

use std::os::fd::OwnedFd;

use morgana_hal::{DomId, Mfn, Pages, SharedRegion, ToolstackError};
use rustix::io::Errno;

use super::xen::error;
use crate::ioctl::privcmd;
use crate::memory::Mapping;

/// Frames of another domain, mapped. Dropping them unmaps.
#[derive(Debug)]
pub struct LinuxForeign {
    region: SharedRegion,
    _mapping: Mapping,
}

impl LinuxForeign {
    pub(super) fn new(
        device: &OwnedFd,
        domain: DomId,
        frames: &[Mfn],
    ) -> Result<Self, ToolstackError> {
        let mapping = match frames.len() {
            0 => Mapping::empty(),
            pages => Mapping::new(device, 0, pages).map_err(|_| ToolstackError::NoRoomHere)?,
        };
        let numbers: Vec<u64> = frames.iter().map(|frame| frame.number()).collect();
        if !numbers.is_empty() {
            let address = mapping.base().as_ptr() as usize;
            // SAFETY: just mapped from the device, with as many pages as there are frames; no reference leads there.
            unsafe { privcmd::map_batch(device, domain.number(), address, &numbers) }.map_err(
                |errno| match errno {
                    Errno::INVAL | Errno::FAULT | Errno::NOENT => ToolstackError::BadFrame,
                    errno => error(errno),
                },
            )?;
        }
        // SAFETY: the mapping is kept beside the region, and nobody makes references into it.
        let region = unsafe { mapping.region() };
        Ok(Self {
            region,
            _mapping: mapping,
        })
    }
}

// SAFETY: `region` is never changed, and the mapping keeps its pages until the value is dropped, wherever it is moved.
unsafe impl Pages for LinuxForeign {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}
