#![doc = include_str!("../README.md")]
#![no_std]

pub mod callback;
pub mod console;
pub mod domctl;
pub mod elfnote;
pub mod errno;
pub mod event_channel;
pub mod grant_table;
#[cfg(all(target_arch = "x86_64", target_os = "none"))]
pub mod hypercall;
pub mod hypercall_number;
pub mod memory;
pub mod mmu;
pub mod sched;
pub mod shared_info;
pub mod start_info;
pub mod sysctl;
pub mod trap;
pub mod vcpu;
pub mod vcpu_context;
pub mod version;
pub mod xenstore;

/// A domain's id on the wire (`domid_t` of `xen.h`).
pub type DomIdT = u16;
/// An event channel's number on the wire (`evtchn_port_t` of `event_channel.h`).
pub type PortT = u32;
/// A page frame number on the wire (`xen_pfn_t` of `arch-x86/xen.h`).
pub type FrameT = u64;

/// "Myself", wherever a domain id is asked for (`xen.h`).
pub const DOMID_SELF: DomIdT = 0x7ff0;
/// The owner of I/O memory (`xen.h`).
pub const DOMID_IO: DomIdT = 0x7ff1;
/// The owner of Xen's own shared pages (`xen.h`).
pub const DOMID_XEN: DomIdT = 0x7ff2;
/// The first id that no ordinary domain has (`xen.h`).
pub const DOMID_FIRST_RESERVED: DomIdT = 0x7ff0;
/// No domain (`xen.h`).
pub const DOMID_INVALID: DomIdT = 0x7ff4;

/// The size of a page in bytes, the same for the processor, the p2m list and grants.
pub const PAGE_SIZE: usize = 4096;
/// log2 of [`PAGE_SIZE`].
pub const PAGE_SHIFT: u32 = 12;
