//! What a PV guest is told at its start (`xen.h`).

pub use xen_sys::start_info as StartInfo;
pub use xen_sys::start_info__bindgen_ty_1 as Console;
pub use xen_sys::start_info__bindgen_ty_1__bindgen_ty_1 as ConsoleDomU;

/// `SIF_PRIVILEGED`: a privileged domain.
pub const SIF_PRIVILEGED: u32 = 1 << 0;
/// `SIF_INITDOMAIN`: the first domain of this machine.
pub const SIF_INITDOMAIN: u32 = 1 << 1;
/// `SIF_MULTIBOOT_MOD`: `mod_start` is a multiboot module.
pub const SIF_MULTIBOOT_MOD: u32 = 1 << 2;
/// `SIF_MOD_START_PFN`: `mod_start` is a frame number.
pub const SIF_MOD_START_PFN: u32 = 1 << 3;

/// `MAX_GUEST_CMDLINE`: bytes of the command line, with a zero behind it.
pub const MAX_GUEST_CMDLINE: usize = 1024;
