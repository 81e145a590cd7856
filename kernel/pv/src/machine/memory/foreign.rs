//! Frames of other domains, mapped without their leave: what a privileged domain may do.

use core::ptr::{NonNull, with_exposed_provenance_mut};

use morgana_abi::PAGE_SIZE;
use morgana_hal::{DomId, Mfn, Pages, SharedRegion};

use super::{MapError, Window};

/// Mapped frames of another domain, or of I/O memory. Dropping them unmaps.
#[derive(Debug)]
pub struct PvForeign {
    region: SharedRegion,
    /// Unmaps when it is dropped.
    _window: Window,
}

impl PvForeign {
    pub(in crate::machine) fn new(owner: DomId, frames: &[Mfn]) -> Result<Self, MapError> {
        if owner == DomId::SELF {
            // Own frames are in the linear map, where references may lead to them.
            return Err(MapError::Refused);
        }
        let mut window = Window::new(frames.len().max(1))?;
        for (index, &frame) in frames.iter().enumerate() {
            window.map(index, frame, owner)?;
        }
        let base = NonNull::new(with_exposed_provenance_mut::<u8>(window.address(0)))
            .ok_or(MapError::OutOfAddressSpace)?;
        // SAFETY: the pages are mapped as long as the window lives, which is as long as this region does, and reached through it
        // only. They are another domain's, so none of our references lead to them.
        let region = unsafe { SharedRegion::from_raw(base, frames.len() * PAGE_SIZE) };
        Ok(Self {
            region,
            _window: window,
        })
    }
}

// SAFETY: `region` is never changed, and the window keeps its pages mapped until the value is dropped, wherever it is moved.
unsafe impl Pages for PvForeign {
    fn region(&self) -> &SharedRegion {
        &self.region
    }
}
