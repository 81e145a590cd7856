//! The machine that the daemon runs on, if there is a Xen under it.

use morgana_hal::{DomId, DomainState, Port};
use morgana_linux::{Linux, LinuxDomains};
use morgana_xenstored::{Command, Errno, IntroduceError, PlatformRing, Rings, attach};

use super::files;

/// The rings of domains, and Xen, which knows how domains are.
#[derive(Debug)]
pub(crate) struct XenRings {
    platform: Linux,
    domains: LinuxDomains,
}

impl XenRings {
    pub(crate) fn new(platform: Linux, domains: LinuxDomains) -> Self {
        Self { platform, domains }
    }
}

impl Rings for XenRings {
    type Stream = PlatformRing<Linux>;

    fn attach(&self, domain: DomId, port: Port) -> Result<Self::Stream, IntroduceError> {
        attach(&self.platform, domain, port)
    }

    fn state(&self, domain: DomId) -> DomainState {
        self.domains.state(domain)
    }

    fn command(&self, command: &Command) -> Result<(), Errno> {
        files::command(command)
    }
}
