//! `/dev/xen/privcmd`: hypercalls of a privileged process.

use std::os::fd::AsFd;

use morgana_abi::hypercall_number::{DOMCTL, SYSCTL};
use rustix::io::{Errno, Result};
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

/// `struct privcmd_mmapbatch_v2`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct MapBatch {
    pub(super) num: u32,
    pub(super) dom: u16,
    pub(super) addr: u64,
    pub(super) arr: *const u64,
    pub(super) err: *mut i32,
}

/// `IOCTL_PRIVCMD_MMAPBATCH_V2`.
pub(super) const MAP_BATCH: Opcode = request(b'P', 4, size_of::<MapBatch>());

/// Any hypercall. Returns what Xen returns, unless that is an error.
///
/// # Safety
///
/// The call is one of those that change nothing in this domain but resident memory that its arguments lead to, which no reference leads to.
pub(crate) unsafe fn hypercall(fd: impl AsFd, op: u64, arg: [u64; 5]) -> Result<i32> {
    let mut hypercall = Hypercall { op, arg };
    // SAFETY: the request reads the struct; what Xen writes is the caller's promise.
    unsafe { call::<HYPERCALL, _>(fd, &mut hypercall) }
}

/// Puts frames of another domain where the device is mapped. Fails with the first frame's error if any cannot be had.
///
/// # Safety
///
/// `address` is where as many pages as there are frames are mapped from the device, and no reference leads there.
pub(crate) unsafe fn map_batch(
    fd: impl AsFd,
    domain: u16,
    address: usize,
    frames: &[u64],
) -> Result<()> {
    let mut errors = vec![0; frames.len()];
    let mut batch = MapBatch {
        num: u32::try_from(frames.len()).map_err(|_| Errno::NOMEM)?,
        dom: domain,
        addr: address as u64,
        arr: frames.as_ptr(),
        err: errors.as_mut_ptr(),
    };
    // SAFETY: 1. The request reads the struct and the frames, and writes `errors`, all of which live here and are as long as `num` says. 2. What
    // changes at `address` is the caller's promise.
    unsafe { call::<MAP_BATCH, _>(fd, &mut batch) }?;
    match errors.into_iter().find(|&error| error != 0) {
        None => Ok(()),
        Some(error) => Err(Errno::from_raw_os_error(error.saturating_neg())),
    }
}

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
    // SAFETY: what Xen writes is the caller's promise.
    unsafe { hypercall(fd, op, [address as u64, 0, 0, 0, 0]) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header cannot be compiled against, since it includes one that only the kernel's source has.
    #[test]
    fn the_request_is_numbered_as_the_header_has_it() {
        // _IOC(_IOC_NONE, 'P', 0, 6 × 8 bytes)
        assert_eq!(HYPERCALL, 0x0030_5000);
        // _IOC(_IOC_NONE, 'P', 4, 4 + 2 (+ 2) + 3 × 8 bytes)
        assert_eq!(MAP_BATCH, 0x0020_5004);
    }
}
