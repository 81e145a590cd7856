//! Asking Xen how other domains are, which only a privileged domain may.

use std::os::fd::OwnedFd;

use morgana_hal::{DomId, DomainState};
use rustix::io::Errno;

use crate::OpenError;
use crate::device::{HYPERCALL, PRIVCMD};
use crate::ioctl::privcmd;
use crate::memory::Mapping;

/// domctl.h, `XEN_DOMCTL_getdomaininfo`.
const GETDOMAININFO: u32 = 5;
/// domctl.h, `XEN_DOMCTL_INTERFACE_VERSION`: Xen takes exactly its own, and the part of the struct that is used here is the same in all
/// of these: from Xen 4.8 on, with room for those to come.
const VERSIONS: core::ops::RangeInclusive<u32> = 0xc..=0x40;

/// Where the fields of `struct xen_domctl` are, and of `struct xen_domctl_getdomaininfo` in it.
const COMMAND: usize = 0;
const INTERFACE_VERSION: usize = 4;
const DOMAIN: usize = 8;
const INFO_DOMAIN: usize = 16;
const INFO_FLAGS: usize = 20;
/// More than the struct has in any version.
const DOMCTL_LEN: usize = 512;

/// domctl.h, `XEN_DOMINF_dying` and `XEN_DOMINF_shutdown`.
const DYING: u32 = 1 << 0;
const SHUTDOWN: u32 = 1 << 2;

/// The way to ask.
#[derive(Debug)]
pub struct LinuxDomains {
    privcmd: OwnedFd,
    /// Resident memory for what Xen reads and writes.
    buffer: Mapping,
    version: u32,
}

impl LinuxDomains {
    /// Opens the device, and finds out which version of the interface Xen has.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::Domctl`] if Xen does not let this domain ask, or only with a version that is not known here.
    pub fn open() -> Result<Self, OpenError> {
        let privcmd = PRIVCMD.open()?;
        let device = HYPERCALL.open()?;
        let buffer = Mapping::new(device, 0, 1).map_err(|errno| OpenError::Device {
            path: HYPERCALL.path,
            module: HYPERCALL.module,
            errno: errno.raw_os_error(),
        })?;
        let mut domains = Self {
            privcmd,
            buffer,
            version: 0,
        };
        let mut refused = Errno::NOSYS;
        for version in VERSIONS {
            domains.version = version;
            match domains.info(DomId::DOM0) {
                Ok(_) => return Ok(domains),
                Err(errno) => refused = errno,
            }
        }
        let errno = refused.raw_os_error();
        Err(OpenError::Domctl { errno })
    }

    /// How a domain is. Whatever Xen does not tell counts as running, so that nothing is taken from a domain by mistake.
    pub fn state(&self, domain: DomId) -> DomainState {
        match self.info(domain) {
            // Some versions answer for the next domain if there is no such one.
            Ok((found, _)) if found != domain => DomainState::Gone,
            Ok((_, flags)) if flags & DYING != 0 => DomainState::Gone,
            Ok((_, flags)) if flags & SHUTDOWN != 0 => DomainState::ShutDown,
            Err(Errno::SRCH) => DomainState::Gone,
            Ok(_) | Err(_) => DomainState::Running,
        }
    }

    fn info(&self, domain: DomId) -> Result<(DomId, u32), Errno> {
        // SAFETY: the mapping is a field of `self`, so it outlives the region, and nobody makes references into it.
        let region = unsafe { self.buffer.region() };
        region.write(0, &[0; DOMCTL_LEN]);
        region.store_u32(COMMAND, GETDOMAININFO);
        region.store_u32(INTERFACE_VERSION, self.version);
        region.write(DOMAIN, &domain.number().to_ne_bytes());
        let address = self.buffer.base().as_ptr() as usize;
        // SAFETY: the page is mapped from the hypercall buffer device, which keeps it resident, and is longer than the struct; this command
        // writes into the struct only.
        unsafe { privcmd::domctl(&self.privcmd, address) }?;
        let mut found = [0; 2];
        region.read(INFO_DOMAIN, &mut found);
        let found = DomId::new(u16::from_ne_bytes(found));
        Ok((found, region.load_u32(INFO_FLAGS)))
    }
}
