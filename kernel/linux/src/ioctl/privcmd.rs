//! `/dev/xen/privcmd`: hypercalls of a privileged process.

use std::os::fd::AsFd;

use morgana_abi::hypercall_number::{DOMCTL, SYSCTL};
use rustix::io::Result;
use rustix::ioctl::Opcode;

use super::{call, request};

/// `struct privcmd_hypercall`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Hypercall {
    pub(super) op: u64,
    pub(super) arg: [u64; 5],
}

/// `IOCTL_PRIVCMD_HYPERCALL`.
pub(super) const HYPERCALL: Opcode = request(b'P', 0, size_of::<Hypercall>());

/// `__HYPERVISOR_domctl` with the `struct xen_domctl` at `address`.
///
/// # Safety
///
/// The address is that of a `struct xen_domctl` in resident memory, which no reference leads to, and its command has Xen write nowhere but
/// into the struct.
pub(crate) unsafe fn domctl(fd: impl AsFd, address: usize) -> Result<()> {
    // SAFETY: what Xen writes is the caller's promise.
    unsafe { control(fd, DOMCTL, address) }
}

/// `__HYPERVISOR_sysctl` with the `struct xen_sysctl` at `address`.
///
/// # Safety
///
/// The address is that of a `struct xen_sysctl` in resident memory, which no reference leads to, and its command has Xen write nowhere but
/// into the struct and into a buffer of which the same is true.
pub(crate) unsafe fn sysctl(fd: impl AsFd, address: usize) -> Result<()> {
    // SAFETY: what Xen writes is the caller's promise.
    unsafe { control(fd, SYSCTL, address) }
}

/// A hypercall whose one argument is the address of a struct.
///
/// # Safety
///
/// Xen writes nowhere but into resident memory that no reference leads to.
unsafe fn control(fd: impl AsFd, op: u64, address: usize) -> Result<()> {
    let mut hypercall = Hypercall {
        op,
        arg: [address as u64, 0, 0, 0, 0],
    };
    // SAFETY: the request reads the struct; what Xen writes is the caller's promise.
    unsafe { call::<HYPERCALL, _>(fd, &mut hypercall) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header cannot be compiled against, since it includes one that only the kernel's source has.
    #[test]
    fn the_request_is_numbered_as_the_header_has_it() {
        // _IOC(_IOC_NONE, 'P', 0, 6 × 8 bytes)
        assert_eq!(HYPERCALL, 0x0030_5000);
    }
}
