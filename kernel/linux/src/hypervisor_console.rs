//! What Xen itself says, which only a privileged domain may read.

use core::mem::offset_of;
use std::os::fd::OwnedFd;

use morgana_abi::sysctl::{INTERFACE_VERSIONS, ReadConsole, Sysctl, XEN_SYSCTL_READCONSOLE};
use morgana_hal::PAGE_SIZE;
use rustix::io::Errno;

use crate::OpenError;
use crate::device::{HYPERCALL, PRIVCMD};
use crate::ioctl::privcmd;
use crate::memory::Mapping;

const COMMAND: usize = offset_of!(Sysctl, cmd);
const INTERFACE_VERSION: usize = offset_of!(Sysctl, interface_version);
const INCREMENTAL: usize = offset_of!(Sysctl, read_console) + offset_of!(ReadConsole, incremental);
const INDEX: usize = offset_of!(Sysctl, read_console) + offset_of!(ReadConsole, index);
const BUFFER: usize = offset_of!(Sysctl, read_console) + offset_of!(ReadConsole, buffer);
const COUNT: usize = offset_of!(Sysctl, read_console) + offset_of!(ReadConsole, count);

/// Where in the mapping Xen writes text: behind the page of the struct.
const TEXT: usize = PAGE_SIZE;
/// How much it writes at once.
const TEXT_PAGES: usize = 4;

/// Xen's console: what it has said since it booted, as far as its buffer goes back.
#[derive(Debug)]
pub struct HypervisorConsole {
    privcmd: OwnedFd,
    /// Resident memory for what Xen reads and writes.
    buffer: Mapping,
    version: u32,
    /// Up to where it was read.
    index: u32,
}

impl HypervisorConsole {
    /// Opens the device, and finds out which version of the interface Xen has.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::HypervisorConsole`] if Xen does not let this domain read, or only with a version that is not known here.
    pub fn open() -> Result<Self, OpenError> {
        let privcmd = PRIVCMD.open()?;
        let device = HYPERCALL.open()?;
        let buffer =
            Mapping::new(device, 0, 1 + TEXT_PAGES).map_err(|errno| OpenError::Device {
                path: HYPERCALL.path,
                module: HYPERCALL.module,
                errno: errno.raw_os_error(),
            })?;
        let mut console = Self {
            privcmd,
            buffer,
            version: 0,
            index: 0,
        };
        let mut refused = Errno::NOSYS;
        for version in INTERFACE_VERSIONS {
            console.version = version;
            match console.ask(0) {
                Ok(_) => return Ok(console),
                Err(errno) => refused = errno,
            }
        }
        Err(OpenError::HypervisorConsole {
            errno: refused.raw_os_error(),
        })
    }

    /// Appends to `out` what Xen has said since the last time; at most 16 KiB. Nothing is appended if there is nothing new.
    ///
    /// # Errors
    ///
    /// Linux's.
    pub fn read(&mut self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let (len, index) = self.ask(TEXT_PAGES * PAGE_SIZE)?;
        // SAFETY: the mapping is a field of `self`, so it outlives the region, and nobody makes references into it.
        let region = unsafe { self.buffer.region() };
        let start = out.len();
        out.resize(start + len, 0);
        region.read(TEXT, &mut out[start..]);
        self.index = index;
        Ok(())
    }

    /// Has Xen write at most `room` bytes. Returns how many there are, and where they end.
    fn ask(&self, room: usize) -> Result<(usize, u32), Errno> {
        // SAFETY: the mapping is a field of `self`, so it outlives the region, and nobody makes references into it.
        let region = unsafe { self.buffer.region() };
        let address = self.buffer.base().as_ptr() as usize;
        region.write(0, &[0; size_of::<Sysctl>()]);
        region.store_u32(COMMAND, XEN_SYSCTL_READCONSOLE);
        region.store_u32(INTERFACE_VERSION, self.version);
        region.write(INCREMENTAL, &[1]);
        region.store_u32(INDEX, self.index);
        region.write(BUFFER, &((address + TEXT) as u64).to_ne_bytes());
        region.store_u32(COUNT, room as u32);
        // SAFETY: the pages are mapped from the hypercall buffer device, which keeps them resident; the struct fits the first one, and the
        // others are `room` bytes at least.
        unsafe { privcmd::sysctl(&self.privcmd, address) }?;
        let len = region.load_u32(COUNT) as usize;
        Ok((len.min(room), region.load_u32(INDEX)))
    }
}
