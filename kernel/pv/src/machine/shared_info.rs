//! The page that Xen writes and we read (`struct shared_info`), mapped in a window for ever.
//!
//! Invariant: once `attach` has run, `BASE` is the address of the page, mapped for reading and writing. Xen writes it at any time,
//! so it is reached through atomics only.

use core::cell::Cell;
use core::mem::offset_of;
use core::ptr::with_exposed_provenance_mut;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use morgana_abi::shared_info::{ArchVcpuInfo, SharedInfo, VcpuInfo};
use morgana_abi::{PAGE_SHIFT, PAGE_SIZE};
use morgana_hal::{DomId, Mfn};

use super::memory::{MapError, Window};
use super::one_cpu::OneCpu;

static BASE: OneCpu<Cell<usize>> = OneCpu::new(Cell::new(0));

/// Fields of the first vCPU's part, which is at the start of the page.
pub(super) const UPCALL_PENDING: usize = offset_of!(VcpuInfo, evtchn_upcall_pending);
pub(super) const UPCALL_MASK: usize = offset_of!(VcpuInfo, evtchn_upcall_mask);
pub(super) const PENDING_SELECTOR: usize = offset_of!(VcpuInfo, evtchn_pending_sel);
pub(super) const FAULT_ADDRESS: usize = offset_of!(VcpuInfo, arch) + offset_of!(ArchVcpuInfo, cr2);
pub(super) const TIME: usize = offset_of!(VcpuInfo, time);

/// Maps the page that `start_info.shared_info` names by its machine address.
pub(super) fn attach(machine_address: u64) -> Result<(), MapError> {
    let mut window = Window::new(1)?;
    window.map(0, Mfn::new(machine_address >> PAGE_SHIFT), DomId::SELF)?;
    BASE.set(window.address(0));
    // It stays for ever.
    core::mem::forget(window);
    Ok(())
}

/// Whether the page is mapped yet.
pub(super) fn is_attached() -> bool {
    BASE.get() != 0
}

fn at<T>(offset: usize) -> *mut T {
    let base = BASE.get();
    assert!(base != 0, "shared_info is mapped at boot");
    assert!(offset.is_multiple_of(size_of::<T>()) && offset + size_of::<T>() <= PAGE_SIZE);
    with_exposed_provenance_mut::<T>(base + offset)
}

/// A byte of the page.
pub(super) fn byte(offset: usize) -> &'static AtomicU8 {
    // SAFETY: `at` gives an aligned address inside the page, which stays mapped; all accesses are atomic (module invariant).
    unsafe { AtomicU8::from_ptr(at(offset)) }
}

/// A 32-bit field of the page.
pub(super) fn half(offset: usize) -> &'static AtomicU32 {
    // SAFETY: as for `byte`.
    unsafe { AtomicU32::from_ptr(at(offset)) }
}

/// A 64-bit field of the page.
pub(super) fn word(offset: usize) -> &'static AtomicU64 {
    // SAFETY: as for `byte`.
    unsafe { AtomicU64::from_ptr(at(offset)) }
}

/// Word `index` (below 64) of the pending bits.
pub(super) fn pending(index: usize) -> &'static AtomicU64 {
    word(offset_of!(SharedInfo, evtchn_pending) + (index & 63) * 8)
}

/// Word `index` (below 64) of the mask bits.
pub(super) fn mask(index: usize) -> &'static AtomicU64 {
    word(offset_of!(SharedInfo, evtchn_mask) + (index & 63) * 8)
}
