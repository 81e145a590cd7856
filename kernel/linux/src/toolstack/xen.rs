//! Hypercalls, and the resident memory that their arguments are in.

use std::os::fd::OwnedFd;

use morgana_abi::vcpu_context::VcpuGuestContext;
use morgana_hal::{PAGE_SIZE, SharedRegion, ToolstackError};
use rustix::io::Errno;

use crate::OpenError;
use crate::device::{HYPERCALL, PRIVCMD};
use crate::ioctl::privcmd;
use crate::memory::Mapping;

/// What is where in the buffer: the struct that a call takes, what the struct leads to, and a list of frames, or of domains.
pub(super) const STRUCT: usize = 0;
pub(super) const CONTEXT: usize = PAGE_SIZE;
pub(super) const LIST: usize = 3 * PAGE_SIZE;
pub(super) const LIST_BYTES: usize = 8 * PAGE_SIZE;
/// Frames that the list has room for.
pub(super) const LIST_LEN: usize = LIST_BYTES / size_of::<u64>();
const PAGES: usize = 3 + 8;
const _: () = assert!(size_of::<VcpuGuestContext>() <= LIST - CONTEXT);

/// The devices.
pub(super) struct Xen {
    privcmd: OwnedFd,
    /// Resident memory for what Xen reads and writes.
    region: SharedRegion,
    buffer: Mapping,
}

impl Xen {
    pub(super) fn open() -> Result<Self, OpenError> {
        let privcmd = PRIVCMD.open()?;
        let device = HYPERCALL.open()?;
        let buffer = Mapping::new(device, 0, PAGES).map_err(|errno| OpenError::Device {
            path: HYPERCALL.path,
            module: HYPERCALL.module,
            errno: errno.raw_os_error(),
        })?;
        // SAFETY: the mapping is kept beside the region, and nobody makes references into it.
        let region = unsafe { buffer.region() };
        Ok(Self {
            privcmd,
            region,
            buffer,
        })
    }

    pub(super) fn privcmd(&self) -> &OwnedFd {
        &self.privcmd
    }

    /// The buffer, to write arguments into and to read results from.
    pub(super) fn region(&self) -> &SharedRegion {
        &self.region
    }

    /// The address of a place in the buffer.
    pub(super) fn address(&self, offset: usize) -> u64 {
        debug_assert!(offset < PAGES * PAGE_SIZE);
        (self.buffer.base().as_ptr() as usize + offset) as u64
    }

    /// A hypercall whose arguments that are addresses lie in the buffer.
    ///
    /// # Safety
    ///
    /// The call changes other domains only, and in this one nothing but the buffer.
    pub(super) unsafe fn call(&self, op: u64, arguments: [u64; 5]) -> Result<i32, ToolstackError> {
        // SAFETY: the caller's promise; the buffer is resident, since the device keeps it so, and no reference leads there.
        unsafe { privcmd::hypercall(&self.privcmd, op, arguments) }.map_err(error)
    }
}

/// What an error of Xen's means. Linux passes it on as its own of the same number.
pub(super) fn error(errno: Errno) -> ToolstackError {
    match errno {
        Errno::PERM | Errno::ACCESS => ToolstackError::NotPrivileged,
        Errno::SRCH => ToolstackError::NoSuchDomain,
        Errno::NOMEM => ToolstackError::OutOfMemory,
        errno => ToolstackError::Refused(errno.raw_os_error()),
    }
}
