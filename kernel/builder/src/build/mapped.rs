//! A domain's pages, mapped to be written.

use core::mem::offset_of;

use morgana_abi::shared_info::{SharedInfo, VcpuInfo};
use morgana_hal::{PAGE_SIZE, SharedRegion};

use crate::contents::Sink;

/// Processors whose state is in the page shared with Xen (`XEN_LEGACY_MAX_VCPUS`).
const SHARED_VCPUS: usize = 32;

/// No processor is called until it says that it is ready (xen.h, `evtchn_upcall_mask`).
pub(super) fn mask_upcalls(region: &SharedRegion) {
    for vcpu in 0..SHARED_VCPUS {
        let info = offset_of!(SharedInfo, vcpu_info) + vcpu * size_of::<VcpuInfo>();
        region.write(info + offset_of!(VcpuInfo, evtchn_upcall_mask), &[1]);
    }
}

/// Mapped pages as a sink.
pub(super) struct MappedPages<'a> {
    pub(super) region: &'a SharedRegion,
    /// The pseudo-physical address of the first.
    pub(super) first: u64,
}

impl MappedPages<'_> {
    fn offset(&self, at: u64) -> usize {
        // Contents stay in the layout's pages, all of which are mapped.
        (at - self.first) as usize
    }
}

impl Sink for MappedPages<'_> {
    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.region.write(self.offset(at), bytes);
    }

    fn zero(&mut self, at: u64, len: u64) {
        const ZEROS: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
        let mut done = 0;
        while done < len {
            let step = (len - done).min(PAGE_SIZE as u64);
            self.write(at + done, &ZEROS[..step as usize]);
            done += step;
        }
    }
}
