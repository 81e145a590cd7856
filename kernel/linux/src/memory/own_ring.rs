//! The page of this domain's own xenstore ring.

use std::fs::read_to_string;
use std::os::fd::OwnedFd;

use morgana_hal::{Pages, Port, SharedRegion};

use super::Mapping;
use crate::OpenError;
use crate::device::{XSD_KVA, XSD_PORT};

/// The page of the ring between this domain's kernel and the xenstored that serves it, for a xenstored in this very domain.
#[derive(Debug)]
pub struct LinuxOwnRing {
    region: SharedRegion,
    _mapping: Mapping,
}

impl LinuxOwnRing {
    /// Maps the page, and says at which port of this domain the kernel listens.
    pub(crate) fn open() -> Result<(Self, Port), OpenError> {
        let failed = |errno: rustix::io::Errno| OpenError::Device {
            path: XSD_KVA.path,
            module: XSD_KVA.module,
            errno: errno.raw_os_error(),
        };
        let device: OwnedFd = XSD_KVA.open()?;
        let mapping = Mapping::new(device, 0, 1).map_err(failed)?;
        let number = read_to_string(XSD_PORT.path).ok();
        let number = number.and_then(|text| text.trim().parse().ok());
        let port = Port::new(number.ok_or(OpenError::Device {
            path: XSD_PORT.path,
            module: XSD_PORT.module,
            errno: rustix::io::Errno::INVAL.raw_os_error(),
        })?);
        // SAFETY: the mapping is kept beside the region, and nobody makes references into it.
        let region = unsafe { mapping.region() };
        let ring = Self {
            region,
            _mapping: mapping,
        };
        Ok((ring, port))
    }
}

// SAFETY: `region` is never changed, and the mapping keeps its page until the value is dropped, wherever it is moved.
unsafe impl Pages for LinuxOwnRing {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}
