//! Exceptions (`arch-x86/xen.h`, `set_trap_table`) and segments.

pub use xen_sys::trap_info as TrapInfo;

/// `FLAT_KERNEL_CS64`: the code segment that Xen gives a 64-bit guest.
pub const FLAT_KERNEL_CS64: u16 = 0xe033;
/// `FLAT_KERNEL_SS64`: its stack segment.
pub const FLAT_KERNEL_SS64: u16 = 0xe02b;
/// `FLAT_KERNEL_DS64`: its data segments.
pub const FLAT_KERNEL_DS64: u16 = 0x0000;
/// Bit 2 of [`TrapInfo::flags`] (`TI_SET_IF`): mask upcalls on entry.
pub const TRAP_MASK_EVENTS: u8 = 1 << 2;
