//! The emulation against what it promises.

mod events;
mod faults;
mod grants;
mod lockstep;
mod reactor;
mod remote;
mod threads;
mod xenstore;

use crate::{Domain, DomainConfig, EmulIdle, EmulPlatform, Hypervisor};

/// A machine with two domains, both entered by the test's thread.
pub(crate) struct Pair {
    pub(crate) hypervisor: Hypervisor,
    pub(crate) first: (EmulPlatform, EmulIdle),
    pub(crate) second: (EmulPlatform, EmulIdle),
}

pub(crate) fn domain(hypervisor: &Hypervisor) -> Domain {
    hypervisor.create(DomainConfig::default()).unwrap()
}

pub(crate) fn pair() -> Pair {
    let hypervisor = Hypervisor::new();
    Pair {
        first: domain(&hypervisor).enter(),
        second: domain(&hypervisor).enter(),
        hypervisor,
    }
}
