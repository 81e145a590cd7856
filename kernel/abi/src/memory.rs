//! Memory reservation (`memory.h`).

use crate::{DomIdT, FrameT};

/// `XENMEM_increase_reservation`.
pub const XENMEM_INCREASE_RESERVATION: u32 = 0;
/// `XENMEM_decrease_reservation`: argument [`Reservation`].
pub const XENMEM_DECREASE_RESERVATION: u32 = 1;
/// `XENMEM_maximum_ram_page`: no argument.
pub const XENMEM_MAXIMUM_RAM_PAGE: u32 = 2;
/// `XENMEM_current_reservation`: argument [`Domain`].
pub const XENMEM_CURRENT_RESERVATION: u32 = 3;
/// `XENMEM_maximum_reservation`: argument [`Domain`].
pub const XENMEM_MAXIMUM_RESERVATION: u32 = 4;
/// `XENMEM_populate_physmap`: argument [`Reservation`].
pub const XENMEM_POPULATE_PHYSMAP: u32 = 6;
/// `XENMEM_machphys_mapping`: argument [`MachphysMapping`].
pub const XENMEM_MACHPHYS_MAPPING: u32 = 12;

/// `struct xen_memory_reservation`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Reservation {
    /// The list of extents: frame numbers in, or out, or both.
    pub extent_start: *mut FrameT,
    /// How many extents.
    pub nr_extents: u64,
    /// log2 of the pages in one extent.
    pub extent_order: u32,
    /// `XENMEMF_*`.
    pub mem_flags: u32,
    /// Whose memory.
    pub domid: DomIdT,
}

/// `struct xen_memory_domain`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Domain {
    /// Whose memory.
    pub domid: DomIdT,
}

/// `struct xen_machphys_mapping`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct MachphysMapping {
    /// Virtual address of the table's first byte.
    pub v_start: u64,
    /// Virtual address behind its last byte.
    pub v_end: u64,
    /// The highest machine frame that may be looked up.
    pub max_mfn: u64,
}

/// `MACH2PHYS_VIRT_START` (`arch-x86/xen-x86_64.h`): where Xen maps the table machine frame → pseudo-physical frame.
pub const MACH2PHYS_VIRT_START: u64 = 0xffff_8000_0000_0000;
