//! Asking Xen how other domains are, which only a privileged domain may.

use core::mem::offset_of;
use std::os::fd::OwnedFd;

use morgana_abi::domctl::{
    DomainInfo, Domctl, INTERFACE_VERSIONS, XEN_DOMCTL_GETDOMAININFO, XEN_DOMINF_DYING,
    XEN_DOMINF_SHUTDOWN,
};
use morgana_hal::{DomId, DomainState};
use rustix::io::Errno;

use crate::OpenError;
use crate::device::{HYPERCALL, PRIVCMD};
use crate::ioctl::privcmd;
use crate::memory::Mapping;

const COMMAND: usize = offset_of!(Domctl, cmd);
const INTERFACE_VERSION: usize = offset_of!(Domctl, interface_version);
const DOMAIN: usize = offset_of!(Domctl, domain);
const INFO_DOMAIN: usize = offset_of!(Domctl, info) + offset_of!(DomainInfo, domain);
const INFO_FLAGS: usize = offset_of!(Domctl, info) + offset_of!(DomainInfo, flags);

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
        for version in INTERFACE_VERSIONS {
            domains.version = version;
            match domains.info(DomId::DOM0) {
                Ok(_) => return Ok(domains),
                Err(errno) => refused = errno,
            }
        }
        let errno = refused.raw_os_error();
        Err(OpenError::Domctl { errno })
    }

    /// The version of the interface that Xen has.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// How a domain is. Whatever Xen does not tell counts as running, so that nothing is taken from a domain by mistake.
    pub fn state(&self, domain: DomId) -> DomainState {
        match self.info(domain) {
            // Some versions answer for the next domain if there is no such one.
            Ok((found, _)) if found != domain => DomainState::Gone,
            Ok((_, flags)) if flags & XEN_DOMINF_DYING != 0 => DomainState::Gone,
            Ok((_, flags)) if flags & XEN_DOMINF_SHUTDOWN != 0 => DomainState::ShutDown,
            Err(Errno::SRCH) => DomainState::Gone,
            Ok(_) | Err(_) => DomainState::Running,
        }
    }

    fn info(&self, domain: DomId) -> Result<(DomId, u32), Errno> {
        // SAFETY: the mapping is a field of `self`, so it outlives the region, and nobody makes references into it.
        let region = unsafe { self.buffer.region() };
        region.write(0, &[0; size_of::<Domctl>()]);
        region.store_u32(COMMAND, XEN_DOMCTL_GETDOMAININFO);
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
