//! The hypervisor: makes domains and keeps their books.

use core::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use morgana_hal::{DomId, Port, Virq};

use crate::backing::Backing;
use crate::clock::TimeSource;
use crate::domain::{Domain, Life, XenstoreRing};
use crate::entropy::Entropy;
use crate::faults::Faults;
use crate::grants::{GrantTable, RESERVED_ENTRIES, XENSTORE_ENTRY};
use crate::heap::{self, Account};
use crate::hypercall::Machine;
use crate::late::LateEvents;
use crate::mappings::Mappings;
use crate::pages::PageAllocator;
use crate::ports::{Binding, MAX_PORTS, PortTable};
use crate::random::SplitMix64;
use crate::state::{DomainState, State};
use crate::upcall::Upcall;
use crate::{
    Console, CreateError, DomainConfig, EmulClock, FaultPlan, Leftovers, Struck, XenstoreServer,
};

/// One emulated machine. Clones are the same machine; any thread may use them.
#[derive(Clone, Debug)]
pub struct Hypervisor {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    state: Mutex<State>,
    deaths: Arc<AtomicU64>,
    pub(crate) time: Arc<TimeSource>,
    pub(crate) entropy: Entropy,
}

impl Inner {
    /// How many domains have ended so far.
    pub(crate) fn deaths(&self) -> u64 {
        self.deaths.load(Ordering::SeqCst)
    }

    pub(crate) fn state(&self) -> Books<'_> {
        // A panic under the lock is a bug of the emulation; the domains' books are still the best there is.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Books {
            state,
            _charged: heap::charge_nobody(),
        }
    }
}

/// The state, locked. Meanwhile what is allocated is the hypervisor's, not the calling domain's.
pub(crate) struct Books<'a> {
    state: MutexGuard<'a, State>,
    _charged: heap::Charged,
}

impl Deref for Books<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Books<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Default for Hypervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Hypervisor {
    /// A machine without domains, with the host's clock and random numbers, whose domains are threads.
    pub fn new() -> Self {
        Self::with(TimeSource::host(), Entropy::Kernel)
    }

    /// A machine whose time stands still until it is moved, and whose random numbers come from `seed`.
    pub(crate) fn simulated(seed: u64) -> Self {
        let entropy = Entropy::Seeded(Mutex::new(SplitMix64::new(seed)));
        Self::with(TimeSource::virtual_time(), entropy)
    }

    fn with(time: TimeSource, entropy: Entropy) -> Self {
        let time = Arc::new(time);
        let deaths = Arc::new(AtomicU64::new(0));
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State::new(time.clone(), deaths.clone())),
                deaths,
                time,
                entropy,
            }),
        }
    }

    /// Makes a domain. The first is domain 0; ids go up and are not used twice.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; no id is used up then.
    pub fn create(&self, config: DomainConfig) -> Result<Domain, CreateError> {
        if config.ports > MAX_PORTS || config.grants < RESERVED_ENTRIES {
            return Err(CreateError::BadConfig);
        }
        let backing = Backing::new(config.shared_pages).map_err(|_| CreateError::OutOfResources)?;
        let upcall = Arc::new(Upcall::new().map_err(|_| CreateError::OutOfResources)?);
        let account = Arc::new(Account::open());
        let mut built = DomainState {
            upcall: upcall.clone(),
            backing: Arc::new(backing),
            pages: PageAllocator::new(config.shared_pages),
            grants: GrantTable::new(config.grants),
            ports: PortTable::new(config.ports),
            mappings: Mappings::new(config.mappings),
            built_ports: Vec::new(),
            built_grants: Vec::new(),
            late: LateEvents::default(),
            returned: false,
            dead: false,
        };
        let mut state = self.inner.state();
        let id = state.next_id().ok_or(CreateError::NoFreeDomId)?;
        let xenstore = match config.xenstore {
            None => None,
            Some(server) => {
                let server = match server {
                    XenstoreServer::Itself => id,
                    XenstoreServer::Domain(server) if state.is_running(server) => server,
                    XenstoreServer::Domain(_) => return Err(CreateError::NoXenstoreServer),
                };
                Some(build_xenstore(&mut built, server)?)
            }
        };
        state.insert(built);
        drop(state);
        if let Console::Captured(console) = &config.console {
            console.attach(&upcall);
        }
        Ok(Domain {
            life: Life {
                machine: Machine::Here(self.inner.clone()),
                id,
                upcall,
                account,
            },
            xenstore,
            console: config.console,
        })
    }

    /// Ends a domain from outside, wherever it is. Peers see what Xen would show them: its ports become unbound without a sound, its
    /// grants cannot be used any more, and pages of it that they map stay readable until they unmap them. Its thread ends at the
    /// next look for events; nothing that it does until then reaches anybody. Says whether the domain existed.
    pub fn kill(&self, id: DomId) -> bool {
        let mut state = self.inner.state();
        let existed = state.is_running(id);
        state.end(id);
        existed
    }

    /// Sends a virtual interrupt to a domain. If it has not bound it, nothing happens.
    pub fn raise(&self, id: DomId, virq: Virq) {
        self.inner.state().raise_virq(id, virq);
    }

    /// Lets things go wrong from now on as `plan` says, and no longer as an earlier plan said.
    pub fn inject(&self, plan: FaultPlan) {
        self.inner.state().faults = Faults::new(plan);
    }

    /// The plan by which things go wrong.
    pub fn fault_plan(&self) -> FaultPlan {
        self.inner.state().faults.plan().clone()
    }

    /// What has gone wrong by the plan so far, at most the first 1,024 of it.
    pub fn struck(&self) -> Vec<Struck> {
        self.inner.state().faults.struck().to_vec()
    }

    /// The domains that exist, in the order of their ids.
    pub fn domains(&self) -> Vec<DomId> {
        self.inner.state().running().collect()
    }

    /// The machine's clock.
    pub fn clock(&self) -> EmulClock {
        EmulClock(self.inner.time.clone())
    }

    /// What domains hold that they did not begin with, and what the ended ones left behind: grants, mappings, pages, ports, and
    /// domains of which something lives on.
    pub fn leftovers(&self) -> Leftovers {
        self.inner.state().leftovers()
    }

    /// Checks that every grant, mapping, page and port has been given back, and that nothing of an ended domain lives on.
    ///
    /// # Panics
    ///
    /// If not, with the list.
    #[track_caller]
    pub fn assert_clean(&self) {
        let leftovers = self.leftovers();
        assert!(leftovers.is_clean(), "{leftovers}");
    }
}

/// What the toolstack prepares for a domain with xenstore: a page, granted to the server, and a port for it.
fn build_xenstore(built: &mut DomainState, server: DomId) -> Result<XenstoreRing, CreateError> {
    let page = built.pages.take(1).ok_or(CreateError::BadConfig)?;
    built.grants.add_reserved(XENSTORE_ENTRY, server, page);
    let port: Port = built
        .ports
        .open(Binding::Unbound { peer: server })
        .map_err(|_| CreateError::BadConfig)?;
    let ring = XenstoreRing::new(page, port);
    built.built_grants.push(ring.grant());
    built.built_ports.push(port);
    Ok(ring)
}
