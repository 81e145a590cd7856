//! What building, listing and ending a domain takes, as Xen 4.17 has it: `XEN_DOMCTL_INTERFACE_VERSION` 0x15. The layouts change from version to version,
//! so Xen takes its own only, and these must not be used with another.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::FrameT;

/// `XEN_DOMCTL_INTERFACE_VERSION` of Xen 4.17, whose layouts these are.
pub const INTERFACE_VERSION: u32 = 0x15;

/// `XEN_DOMCTL_createdomain`: argument [`CreateDomain`]; the id comes back in [`Header::domain`].
pub const XEN_DOMCTL_CREATEDOMAIN: u32 = 1;
/// `XEN_DOMCTL_destroydomain`: no argument. `EAGAIN`: not done yet, to be asked again.
pub const XEN_DOMCTL_DESTROYDOMAIN: u32 = 2;
/// `XEN_DOMCTL_pausedomain`: no argument. Xen counts: as many unpauses let it run again.
pub const XEN_DOMCTL_PAUSEDOMAIN: u32 = 3;
/// `XEN_DOMCTL_unpausedomain`: no argument.
pub const XEN_DOMCTL_UNPAUSEDOMAIN: u32 = 4;
/// `XEN_DOMCTL_max_mem`: argument [`MaxMem`].
pub const XEN_DOMCTL_MAX_MEM: u32 = 11;
/// `XEN_DOMCTL_setvcpucontext`: argument [`VcpuContext`].
pub const XEN_DOMCTL_SETVCPUCONTEXT: u32 = 12;
/// `XEN_DOMCTL_getvcpucontext`: argument [`VcpuContext`].
pub const XEN_DOMCTL_GETVCPUCONTEXT: u32 = 13;
/// `XEN_DOMCTL_max_vcpus`: argument [`MaxVcpus`].
pub const XEN_DOMCTL_MAX_VCPUS: u32 = 15;
/// `XEN_DOMCTL_hypercall_init`: argument [`HypercallInit`].
pub const XEN_DOMCTL_HYPERCALL_INIT: u32 = 22;

/// The domain id with which `XEN_DOMCTL_createdomain` has Xen choose one: any that no domain can have (`domctl.c` of Xen takes 0, too).
pub const ANY_DOMAIN: u16 = 0;

/// Bytes of `struct xen_domctl`.
pub const DOMCTL_SIZE: usize = 144;

/// What every `struct xen_domctl` begins with; its argument comes next.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct Header {
    /// `cmd`.
    pub cmd: u32,
    /// `interface_version`.
    pub interface_version: u32,
    /// `domain`.
    pub domain: u16,
    /// `_pad`.
    pub pad: [u16; 3],
}

/// `struct xen_domctl_createdomain`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct CreateDomain {
    /// `ssidref`: 0 without XSM.
    pub ssidref: u32,
    /// `handle`: the UUID.
    pub handle: [u8; 16],
    /// `flags`: `XEN_DOMCTL_CDF_*`; none for a PV domain without devices of the machine.
    pub flags: u32,
    /// `iommu_opts`.
    pub iommu_opts: u32,
    /// `max_vcpus`.
    pub max_vcpus: u32,
    /// `max_evtchn_port`: the highest port that it may have.
    pub max_evtchn_port: u32,
    /// `max_grant_frames`: pages of its grant table; below 0: as many as Xen takes for all.
    pub max_grant_frames: i32,
    /// `max_maptrack_frames`: the same for what it maps.
    pub max_maptrack_frames: i32,
    /// `grant_opts`: the highest version of the grant table that it may have, 1 or 2.
    pub grant_opts: u32,
    /// `vmtrace_size`.
    pub vmtrace_size: u32,
    /// `cpupool_id`.
    pub cpupool_id: u32,
    /// `arch.emulation_flags`: none for a PV domain.
    pub emulation_flags: u32,
    /// `arch.misc_flags`.
    pub misc_flags: u32,
}

/// `struct xen_domctl_getdomaininfo`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct DomainInfo {
    /// `domain`: the one that was asked for, or, if there is none of that id, the next.
    pub domain: u16,
    /// `pad1`.
    pub pad1: u16,
    /// `flags`: `XEN_DOMINF_*`.
    pub flags: u32,
    /// `tot_pages`: pages that it has.
    pub tot_pages: u64,
    /// `max_pages`: pages that it may have.
    pub max_pages: u64,
    /// `outstanding_pages`.
    pub outstanding_pages: u64,
    /// `shr_pages`.
    pub shr_pages: u64,
    /// `paged_pages`.
    pub paged_pages: u64,
    /// `shared_info_frame`: the frame of its `struct shared_info`.
    pub shared_info_frame: u64,
    /// `cpu_time`: nanoseconds that its processors have run.
    pub cpu_time: u64,
    /// `nr_online_vcpus`.
    pub nr_online_vcpus: u32,
    /// `max_vcpu_id`.
    pub max_vcpu_id: u32,
    /// `ssidref`.
    pub ssidref: u32,
    /// `handle`: the UUID.
    pub handle: [u8; 16],
    /// `cpupool`.
    pub cpupool: u32,
    /// `gpaddr_bits`.
    pub gpaddr_bits: u8,
    /// `pad2`.
    pub pad2: [u8; 7],
    /// `arch_config.emulation_flags`.
    pub emulation_flags: u32,
    /// `arch_config.misc_flags`.
    pub misc_flags: u32,
}

/// `XEN_DOMINF_hvm_guest`: it is no PV domain.
pub const XEN_DOMINF_HVM_GUEST: u32 = 1 << 1;
/// `XEN_DOMINF_paused`: a toolstack has paused it.
pub const XEN_DOMINF_PAUSED: u32 = 1 << 3;
/// `XEN_DOMINF_blocked`: all its processors wait for events.
pub const XEN_DOMINF_BLOCKED: u32 = 1 << 4;
/// `XEN_DOMINF_running`: one of its processors runs at this moment.
pub const XEN_DOMINF_RUNNING: u32 = 1 << 5;
/// `XEN_DOMINF_shutdownshift`: where in the flags the reason of a shutdown begins (`SHUTDOWN_*`).
pub const XEN_DOMINF_SHUTDOWNSHIFT: u32 = 16;
/// `XEN_DOMINF_shutdownmask`: how wide it is.
pub const XEN_DOMINF_SHUTDOWNMASK: u32 = 255;

/// `struct xen_domctl_max_mem`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct MaxMem {
    /// `max_memkb`: KiB that the domain may have.
    pub max_memkb: u64,
}

/// `struct xen_domctl_max_vcpus`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct MaxVcpus {
    /// `max`: the same as was said when the domain was created.
    pub max: u32,
}

/// `struct xen_domctl_vcpucontext`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct VcpuContext {
    /// `vcpu`.
    pub vcpu: u32,
    /// Padding.
    pub pad: u32,
    /// `ctxt`: the address of a [`VcpuGuestContext`](crate::vcpu_context::VcpuGuestContext).
    pub ctxt: u64,
}

/// `struct xen_domctl_hypercall_init`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct HypercallInit {
    /// `gmfn`: the frame that Xen writes the calls into.
    pub gmfn: FrameT,
}
