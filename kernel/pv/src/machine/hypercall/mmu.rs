//! Changing page tables. They are mapped read-only; Xen makes every change, after checking that it is safe for other domains.

use core::ptr;

use morgana_abi::hypercall::{call3, call4};
use morgana_abi::{DOMID_SELF, hypercall_number as number, mmu};
use morgana_hal::DomId;

use super::{Errno, check};

/// One new page table entry.
pub(in crate::machine) type TableUpdate = mmu::MmuUpdate;

/// Writes page table entries in order; frames in them belong to `owner`. Stops at the first one that Xen refuses.
///
/// # Safety
///
/// No page that Rust code uses loses the access that this code needs, and no frame becomes writable that is referenced as
/// immutable.
pub(in crate::machine) unsafe fn update_tables(
    updates: &[TableUpdate],
    owner: DomId,
) -> Result<(), Errno> {
    // SAFETY: Xen reads `updates.len()` entries; a null `done_count` is allowed (xen.h). The caller answers for the effect.
    check(unsafe {
        call4::<{ number::MMU_UPDATE }>(
            updates.as_ptr() as u64,
            updates.len() as u64,
            ptr::null::<u32>() as u64,
            u64::from(owner.number()),
        )
    })
    .map(drop)
}

/// Writes the level 1 entry of `address` and forgets the old translation.
///
/// # Safety
///
/// As for [`update_tables`].
pub(in crate::machine) unsafe fn update_va_mapping(
    address: usize,
    entry: u64,
) -> Result<(), Errno> {
    // SAFETY: numbers only; the caller answers for the effect.
    check(unsafe {
        call3::<{ number::UPDATE_VA_MAPPING }>(address as u64, entry, mmu::UVMF_INVLPG)
    })
    .map(drop)
}

/// Forgets all translations.
pub(in crate::machine) fn flush_tlb() -> Result<(), Errno> {
    let operation = mmu::MmuextOp {
        cmd: mmu::MMUEXT_TLB_FLUSH_LOCAL,
        arg1: mmu::MmuextArg1 { linear_addr: 0 },
        arg2: mmu::MmuextArg2 { src_mfn: 0 },
    };
    // SAFETY: Xen reads one operation; a flush changes no memory.
    check(unsafe {
        call4::<{ number::MMUEXT_OP }>(
            &raw const operation as u64,
            1,
            ptr::null::<u32>() as u64,
            u64::from(DOMID_SELF),
        )
    })
    .map(drop)
}
