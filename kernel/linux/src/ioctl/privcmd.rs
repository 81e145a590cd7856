//! `/dev/xen/privcmd`: hypercalls of a privileged process.

use std::os::fd::AsFd;

use morgana_abi::hypercall_number::DOMCTL;
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
    let mut hypercall = Hypercall {
        op: DOMCTL,
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
