//! Pages that the toolstack gave the domain to share with a daemon: the console's and xenstore's.

use core::ptr::{NonNull, with_exposed_provenance_mut};

use morgana_abi::PAGE_SIZE;
use morgana_hal::{Mfn, Pages, SharedRegion};

use super::memory::{pfn_of, virtual_address};

/// One such page.
#[derive(Debug)]
pub struct RingPage(SharedRegion);

impl RingPage {
    pub(super) fn new(region: SharedRegion) -> Self {
        Self(region)
    }
}

// SAFETY: the region is never changed, and its page is mapped for ever.
unsafe impl Pages for RingPage {
    fn region(&self) -> &SharedRegion {
        &self.0
    }
}

/// Where a page that `start_info` names is mapped. It lies among what the domain builder mapped.
pub(super) fn address(frame: Mfn) -> Option<usize> {
    pfn_of(frame).map(virtual_address)
}

/// The page at `address`.
///
/// # Safety
///
/// It is mapped for reading and writing for ever, and reached by copy only.
pub(super) unsafe fn region(address: usize) -> Option<SharedRegion> {
    let base = NonNull::new(with_exposed_provenance_mut::<u8>(address))?;
    // SAFETY: the caller's promise; pages are aligned.
    Some(unsafe { SharedRegion::from_raw(base, PAGE_SIZE) })
}
