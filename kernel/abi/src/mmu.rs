//! Page table updates (`xen.h`) and page table entries (Intel SDM vol. 3, 4.5).

pub use xen_sys::mmu_update as MmuUpdate;
pub use xen_sys::mmuext_op as MmuextOp;
pub use xen_sys::mmuext_op__bindgen_ty_1 as MmuextArg1;
pub use xen_sys::mmuext_op__bindgen_ty_2 as MmuextArg2;
pub use xen_sys::multicall_entry as MulticallEntry;

/// `MMU_NORMAL_PT_UPDATE`: in the low bits of [`MmuUpdate::ptr`], "write this page table entry".
pub const MMU_NORMAL_PT_UPDATE: u64 = 0;

/// `MMUEXT_PIN_L1_TABLE`.
pub const MMUEXT_PIN_L1_TABLE: u32 = 0;
/// `MMUEXT_PIN_L4_TABLE`: [`MmuextArg1`] is the frame of the root of a 64-bit address space.
pub const MMUEXT_PIN_L4_TABLE: u32 = 3;
/// `MMUEXT_UNPIN_TABLE`.
pub const MMUEXT_UNPIN_TABLE: u32 = 4;
/// `MMUEXT_NEW_BASEPTR`.
pub const MMUEXT_NEW_BASEPTR: u32 = 5;
/// `MMUEXT_TLB_FLUSH_LOCAL`.
pub const MMUEXT_TLB_FLUSH_LOCAL: u32 = 6;
/// `MMUEXT_INVLPG_LOCAL`.
pub const MMUEXT_INVLPG_LOCAL: u32 = 7;

/// `UVMF_NONE`: no flush.
pub const UVMF_NONE: u64 = 0;
/// `UVMF_INVLPG`: forget this one translation.
pub const UVMF_INVLPG: u64 = 2;

/// Entry is valid.
pub const PTE_PRESENT: u64 = 1 << 0;
/// Writes allowed.
pub const PTE_WRITE: u64 = 1 << 1;
/// User access allowed. Xen runs a 64-bit PV kernel in ring 3 and sets this itself where it must.
pub const PTE_USER: u64 = 1 << 2;
/// Accessed.
pub const PTE_ACCESSED: u64 = 1 << 5;
/// Dirty.
pub const PTE_DIRTY: u64 = 1 << 6;
/// No instruction fetch.
pub const PTE_NO_EXECUTE: u64 = 1 << 63;
/// The frame's bits in an entry.
pub const PTE_FRAME_MASK: u64 = 0x000f_ffff_ffff_f000;
/// Entries in a table of any level.
pub const TABLE_ENTRIES: usize = 512;
