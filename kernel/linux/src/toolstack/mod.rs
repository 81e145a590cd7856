//! Building, listing and ending other domains, which only a privileged domain may.

mod domctl;
mod foreign;
mod grants;
mod listing;
mod memory;
mod xen;

use core::fmt;

use morgana_abi::domctl::building::INTERFACE_VERSION;
use morgana_hal::{
    DomId, DomainInfo, GrantRef, Mfn, NewDomain, Port, Start, Toolstack, ToolstackError,
};

pub use foreign::LinuxForeign;

use crate::{LinuxDomains, OpenError};
use xen::Xen;

/// The toolstack's way to Xen: hypercalls by `/dev/xen/privcmd`.
pub struct LinuxToolstack {
    xen: Xen,
}

impl LinuxToolstack {
    /// Opens the devices, and looks whether Xen's interface is of the version that is known here.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::ToolstackVersion`] if Xen has another version, and [`OpenError::Domctl`] if it answers to none.
    pub fn open() -> Result<Self, OpenError> {
        let toolstack = Self { xen: Xen::open()? };
        if toolstack.next(DomId::DOM0).is_ok() {
            return Ok(toolstack);
        }
        Err(OpenError::ToolstackVersion {
            xens: Some(LinuxDomains::open()?.version()).filter(|&xens| xens != INTERFACE_VERSION),
            known: INTERFACE_VERSION,
        })
    }
}

impl fmt::Debug for LinuxToolstack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinuxToolstack").finish_non_exhaustive()
    }
}

impl Toolstack for LinuxToolstack {
    type Foreign = LinuxForeign;

    fn create(&self, wanted: &NewDomain) -> Result<DomId, ToolstackError> {
        domctl::create(&self.xen, wanted)
    }

    fn populate(&self, domain: DomId, frames: &mut [Mfn]) -> Result<(), ToolstackError> {
        memory::populate(&self.xen, domain, frames)
    }

    fn map(&self, domain: DomId, frames: &[Mfn]) -> Result<LinuxForeign, ToolstackError> {
        LinuxForeign::new(self.xen.privcmd(), domain, frames)
    }

    fn write_hypercall_page(&self, domain: DomId, frame: Mfn) -> Result<(), ToolstackError> {
        domctl::write_hypercall_page(&self.xen, domain, frame)
    }

    fn pin(&self, domain: DomId, root: Mfn) -> Result<(), ToolstackError> {
        memory::pin(&self.xen, domain, root)
    }

    fn start_at(&self, domain: DomId, vcpu: u32, start: &Start) -> Result<(), ToolstackError> {
        domctl::start_at(&self.xen, domain, vcpu, start)
    }

    fn listen_for(&self, domain: DomId, peer: DomId) -> Result<Port, ToolstackError> {
        grants::listen_for(&self.xen, domain, peer)
    }

    fn grant(
        &self,
        domain: DomId,
        entries: &[(GrantRef, DomId, Mfn)],
    ) -> Result<(), ToolstackError> {
        let table = grants::table(&self.xen, domain)?;
        grants::write(&self.map(domain, &[table])?, entries)
    }

    fn pause(&self, domain: DomId) -> Result<(), ToolstackError> {
        domctl::pause(&self.xen, domain)
    }

    fn unpause(&self, domain: DomId) -> Result<(), ToolstackError> {
        domctl::unpause(&self.xen, domain)
    }

    fn destroy(&self, domain: DomId) -> Result<(), ToolstackError> {
        domctl::destroy(&self.xen, domain)
    }

    fn next(&self, from: DomId) -> Result<Option<DomainInfo>, ToolstackError> {
        domctl::next(&self.xen, from)
    }

    fn list(&self) -> Result<Vec<DomainInfo>, ToolstackError> {
        listing::list(&self.xen)
    }
}
