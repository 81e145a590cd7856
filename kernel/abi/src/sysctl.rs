//! What a privileged domain asks of the whole system (`sysctl.h`), as far as it is needed: Xen's own console, and the list of domains.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `XEN_SYSCTL_readconsole`: fills in a [`ReadConsole`] and the buffer that it names.
pub const XEN_SYSCTL_READCONSOLE: u32 = 1;

/// `XEN_SYSCTL_getdomaininfolist`: fills in a [`DomainInfoList`] and the buffer that it names; as Xen 4.17 has it ([`BUILDING_VERSION`]).
pub const XEN_SYSCTL_GETDOMAININFOLIST: u32 = 6;

/// `XEN_SYSCTL_INTERFACE_VERSION`: Xen takes exactly its own. What is used here is the same in all of these: from Xen 4.8 on, with room for those
/// to come.
pub const INTERFACE_VERSIONS: core::ops::RangeInclusive<u32> = 0xe..=0x40;

/// `XEN_SYSCTL_INTERFACE_VERSION` of Xen 4.17, whose layouts [`building`](crate::domctl::building) has.
pub const BUILDING_VERSION: u32 = 0x15;

/// `struct xen_sysctl` with a `struct xen_sysctl_readconsole`, and behind it more room than it has in any version.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct Sysctl {
    /// `cmd`.
    pub cmd: u32,
    /// `interface_version`.
    pub interface_version: u32,
    /// `u.readconsole`.
    pub read_console: ReadConsole,
    /// What other commands have.
    pub rest: [u64; 60],
}

/// `struct xen_sysctl_readconsole`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadConsole {
    /// Whether Xen is to forget what was read.
    pub clear: u8,
    /// Whether to begin at `index`; else where Xen's buffer begins.
    pub incremental: u8,
    /// Padding.
    pub pad: [u8; 2],
    /// Where to begin; Xen writes where it has ended. It counts bytes and wraps.
    pub index: u32,
    /// Address of the buffer.
    pub buffer: u64,
    /// The buffer's size in bytes; Xen writes how many it has filled.
    pub count: u32,
    /// Padding.
    pub pad1: u32,
}

/// `struct xen_sysctl_getdomaininfolist`, which is where [`Sysctl::read_console`] is for that command.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
pub struct DomainInfoList {
    /// `first_domain`: those of lower numbers are not told.
    pub first_domain: u16,
    /// Padding.
    pub pad: [u8; 2],
    /// `max_domains`: how many the buffer has room for.
    pub max_domains: u32,
    /// `buffer`: the address of [`DomainInfo`](crate::domctl::building::DomainInfo)s, whose layout is that of one version.
    pub buffer: u64,
    /// `num_domains`: how many Xen has told.
    pub num_domains: u32,
    /// Padding.
    pub pad1: u32,
}
