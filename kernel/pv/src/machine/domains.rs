//! Asking Xen how other domains are, which only a privileged domain or the domain of xenstored may.

use core::fmt;

use morgana_abi::domctl::{INTERFACE_VERSIONS, XEN_DOMINF_DYING, XEN_DOMINF_SHUTDOWN};
use morgana_abi::errno;
use morgana_hal::{DomId, DomainState};

use super::hypercall::{self, Errno};

/// The way to ask.
#[derive(Clone, Copy, Debug)]
pub struct PvDomains {
    version: u32,
}

/// Xen does not let this domain ask how others are, or only in a version of its interface that is not known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAllowed;

impl PvDomains {
    /// Finds out which version of the interface Xen has.
    pub(super) fn find() -> Result<Self, NotAllowed> {
        let version = INTERFACE_VERSIONS
            .into_iter()
            .find(|&version| hypercall::domain_info(DomId::DOM0, version).is_ok());
        version.map(|version| Self { version }).ok_or(NotAllowed)
    }

    /// How a domain is. Whatever Xen does not tell counts as running, so that nothing is taken from a domain by mistake.
    pub fn state(&self, domain: DomId) -> DomainState {
        match hypercall::domain_info(domain, self.version) {
            // Some versions answer for the next domain if there is no such one.
            Ok(info) if info.domain != domain.number() => DomainState::Gone,
            Ok(info) if info.flags & XEN_DOMINF_DYING != 0 => DomainState::Gone,
            Ok(info) if info.flags & XEN_DOMINF_SHUTDOWN != 0 => DomainState::ShutDown,
            Err(Errno(errno::ESRCH)) => DomainState::Gone,
            Ok(_) | Err(_) => DomainState::Running,
        }
    }
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Xen does not tell this domain how others are: it was not built as xenstored's domain, or Xen is newer than this image")
    }
}

impl core::error::Error for NotAllowed {}
