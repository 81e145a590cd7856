//! Pseudo-physical frames, machine frames and addresses.
//!
//! Invariants: `P2M` holds the list that the domain builder made, mapped for the domain's whole life and never changed; Xen's
//! machine-to-physical table is mapped for reading in every 64-bit PV guest.

use core::cell::Cell;
use core::ptr;

use morgana_abi::memory::MACH2PHYS_VIRT_START;
use morgana_abi::start_info::StartInfo;
use morgana_abi::{PAGE_SHIFT, PAGE_SIZE};
use morgana_hal::{Mfn, Pfn};

use crate::machine::layout;
use crate::machine::one_cpu::OneCpu;

static P2M: OneCpu<Cell<&'static [u64]>> = OneCpu::new(Cell::new(&[]));

/// # Safety
///
/// `start_info` is what Xen passed, and nobody changes the p2m list.
pub(super) unsafe fn init(start_info: &StartInfo) {
    let list = ptr::with_exposed_provenance::<u64>(start_info.mfn_list as usize);
    // SAFETY: Xen maps `nr_pages` machine frame numbers at `mfn_list` ("start of day", xen.h), and nobody changes them (the
    // caller's promise).
    P2M.set(unsafe { core::slice::from_raw_parts(list, start_info.nr_pages as usize) });
}

/// Pages that the domain has.
pub(super) fn pages() -> usize {
    P2M.get().len()
}

/// The machine frame of an own page.
pub(in crate::machine) fn mfn_of(pfn: Pfn) -> Option<Mfn> {
    let list = P2M.get();
    list.get(usize::try_from(pfn.number()).ok()?)
        .map(|&mfn| Mfn::new(mfn))
}

/// The own page that a machine frame is, if it is one of ours.
pub(in crate::machine) fn pfn_of(mfn: Mfn) -> Option<Pfn> {
    // Every machine frame lies below 2^40 (52 address bits); the table covers 2^35 entries at most.
    let index = usize::try_from(mfn.number())
        .ok()
        .filter(|&mfn| mfn < 1 << 35)?;
    let entry = ptr::with_exposed_provenance::<u64>(MACH2PHYS_VIRT_START as usize + index * 8);
    // SAFETY: the table is mapped up to the machine's highest frame, and only numbers of existing frames get here: those in the
    // p2m list, in page tables and in start_info, all of which Xen filled in. The read is volatile since Xen may change it.
    let pfn = Pfn::new(unsafe { entry.read_volatile() });
    (mfn_of(pfn) == Some(mfn)).then_some(pfn)
}

/// Where an own page is in the linear map, whether mapped yet or not.
pub(in crate::machine) fn virtual_address(pfn: Pfn) -> usize {
    layout::virt_base() + ((pfn.number() as usize) << PAGE_SHIFT)
}

/// The own page at an address of the linear map.
pub(in crate::machine) fn pfn_at(address: usize) -> Option<Pfn> {
    let pfn = address.checked_sub(layout::virt_base())? / PAGE_SIZE;
    (pfn < pages()).then_some(Pfn::new(pfn as u64))
}

/// The machine frame behind an address of the linear map.
pub(in crate::machine) fn mfn_at(address: usize) -> Option<Mfn> {
    pfn_at(address).and_then(mfn_of)
}
