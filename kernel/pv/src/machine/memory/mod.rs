//! The domain's memory: where it is mapped, which of it is free, and where foreign frames can be mapped.
//!
//! ```text
//! 0 ─────────────── VIRT_BASE ───────────────────────────── linear end ── 2 MiB ── area ────────── area end
//!   never mapped      linear map: pseudo-physical page 0 on    hole                 windows on foreign frames
//! ```
//!
//! * **Linear map**: page `pfn` is at `VIRT_BASE + pfn * 4096` and nowhere else, so no page has two mappings with different
//!   rights. Image text is read and execute, constants read, the rest read and write; page tables are read-only, as Xen demands.
//!   What the domain builder mapped is used as it is; the rest is mapped 2 MiB at a time when it is first needed, so that booting
//!   takes as long in a large domain as in a small one.
//! * **Frames**: page runs. The heap grows from the bottom up, all else is taken from the top down.
//! * **Area**: address space for frames that are not ours: Xen's shared page, the grant table, imported pages.

mod area;
mod foreign;
mod frames;
mod p2m;
mod pages;
mod probe_tables;
mod protect;
mod tables;

use core::fmt;

use morgana_abi::start_info::StartInfo;

pub(super) use area::Window;
pub use foreign::PvForeign;
pub(super) use frames::with_frames;
pub(super) use p2m::{mfn_at, pfn_of, virtual_address};
pub(super) use pages::PageRun;
pub use probe_tables::{Protection, protection};

/// Why memory could not be had or mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapError {
    /// No free frame is left.
    OutOfFrames,
    /// No address space is left in the area.
    OutOfAddressSpace,
    /// Xen refused a mapping.
    Refused,
}

/// Notes where the p2m list is; frame numbers can be translated from then on.
///
/// # Safety
///
/// `start_info` is what Xen passed, and nobody changes the p2m list.
pub(super) unsafe fn init_p2m(start_info: &StartInfo) {
    // SAFETY: the caller's promise.
    unsafe { p2m::init(start_info) };
}

/// Takes over what the domain builder made: rights, free pages, address space.
///
/// # Safety
///
/// Called once, with what Xen passed, before anything uses memory outside of the image.
pub(super) unsafe fn init(start_info: &StartInfo) -> Result<(), MapError> {
    tables::init(start_info);
    frames::init(start_info)?;
    protect::protect_image()
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfFrames => "no free page is left",
            Self::OutOfAddressSpace => "no address space is left to map frames in",
            Self::Refused => "Xen refused the mapping",
        })
    }
}

impl core::error::Error for MapError {}
