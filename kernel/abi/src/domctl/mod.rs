//! What a privileged domain asks about others, and does with them (`domctl.h`). How a domain is can be asked of any Xen; building and listing domains
//! takes the very version in [`building`].

pub mod building;

/// `XEN_DOMCTL_getdomaininfo`: fills in a [`DomainInfo`].
pub const XEN_DOMCTL_GETDOMAININFO: u32 = 5;

/// `XEN_DOMCTL_INTERFACE_VERSION`: Xen takes exactly its own. What is used here is the same in all of these: from Xen 4.8 on, with room for those
/// to come.
pub const INTERFACE_VERSIONS: core::ops::RangeInclusive<u32> = 0xc..=0x40;

/// `struct xen_domctl` with a `struct xen_domctl_getdomaininfo`, and behind it more room than either has in any version.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct Domctl {
    /// `cmd`.
    pub cmd: u32,
    /// `interface_version`.
    pub interface_version: u32,
    /// `domain`, and the padding behind it.
    pub domain: [u16; 4],
    /// `u.getdomaininfo`.
    pub info: DomainInfo,
    /// What the versions have in different places.
    pub rest: [u64; 61],
}

/// The part of `struct xen_domctl_getdomaininfo` that is the same in all versions.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct DomainInfo {
    /// Which domain this is: that which was asked for, or in some versions the next one that there is.
    pub domain: u16,
    /// Padding in some versions, in others there is none.
    pub pad1: u16,
    /// `XEN_DOMINF_*`.
    pub flags: u32,
}

impl Domctl {
    /// The question how a domain is.
    pub const fn get_domain_info(domain: u16, interface_version: u32) -> Self {
        Self {
            cmd: XEN_DOMCTL_GETDOMAININFO,
            interface_version,
            domain: [domain, 0, 0, 0],
            info: DomainInfo {
                domain: 0,
                pad1: 0,
                flags: 0,
            },
            rest: [0; 61],
        }
    }
}

/// `XEN_DOMINF_dying`: it is being taken down.
pub const XEN_DOMINF_DYING: u32 = 1 << 0;
/// `XEN_DOMINF_shutdown`: it has shut down, whatever for.
pub const XEN_DOMINF_SHUTDOWN: u32 = 1 << 2;
