//! All that the hypervisor knows, behind one lock.
//!
//! Methods take the calling domain's id first, as a hypercall knows its caller. A domain that is dead may still call, since its thread
//! cannot be stopped from outside; it is refused.

mod events;
mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use morgana_hal::{Clock, DomId, GrantRef, Port, Usage, Virq};

use crate::EmulClock;
use crate::backing::Backing;
use crate::clock::TimeSource;
use crate::faults::{Faults, Operation, Trouble};
use crate::grants::GrantTable;
use crate::late::LateEvents;
use crate::leftovers::{Leftover, Leftovers};
use crate::mapping::sever;
use crate::mappings::Mappings;
use crate::pages::PageAllocator;
use crate::ports::{Binding, PortTable};
use crate::upcall::Upcall;

#[derive(Debug)]
pub(crate) struct State {
    domains: BTreeMap<DomId, DomainState>,
    next_id: u16,
    clock: EmulClock,
    /// How many domains have ended; others may look without the lock.
    deaths: Arc<AtomicU64>,
    pub(crate) faults: Faults,
}

#[derive(Debug)]
pub(crate) struct DomainState {
    pub(crate) upcall: Arc<Upcall>,
    pub(crate) backing: Arc<Backing>,
    pub(crate) pages: PageAllocator,
    pub(crate) grants: GrantTable,
    pub(crate) ports: PortTable,
    pub(crate) mappings: Mappings,
    /// Ports and grants that the toolstack made, not the domain: they are no leak.
    pub(crate) built_ports: Vec<Port>,
    pub(crate) built_grants: Vec<GrantRef>,
    /// Events that a fault holds back.
    pub(crate) late: LateEvents,
    /// Its main function has returned.
    pub(crate) returned: bool,
    /// A dead domain stays as long as a peer maps one of its pages.
    pub(crate) dead: bool,
}

impl State {
    pub(crate) fn new(time: Arc<TimeSource>, deaths: Arc<AtomicU64>) -> Self {
        Self {
            domains: BTreeMap::new(),
            next_id: 0,
            clock: EmulClock(time),
            deaths,
            faults: Faults::default(),
        }
    }

    /// The id that the next domain gets; `None` when all are used up. Ids are not used twice.
    pub(crate) fn next_id(&self) -> Option<DomId> {
        // xen.h, DOMID_FIRST_RESERVED: ids from here on have special meanings.
        (self.next_id < 0x7ff0).then_some(DomId::new(self.next_id))
    }

    pub(crate) fn insert(&mut self, domain: DomainState) {
        self.domains.insert(DomId::new(self.next_id), domain);
        self.next_id += 1;
    }

    pub(crate) fn is_running(&self, id: DomId) -> bool {
        self.domains.get(&id).is_some_and(|domain| !domain.dead)
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = DomId> {
        let domains = self.domains.iter();
        domains.filter_map(|(&id, domain)| (!domain.dead).then_some(id))
    }

    fn domain(&mut self, id: DomId) -> Option<&mut DomainState> {
        self.domains.get_mut(&id).filter(|domain| !domain.dead)
    }

    /// Counts a call of `caller`, which may be its last.
    fn hypercall(&mut self, caller: DomId) {
        if self.fault(caller, Operation::Hypercall) == Some(Trouble::Death) {
            self.end(caller);
        }
    }

    fn fault(&mut self, domain: DomId, operation: Operation) -> Option<Trouble> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.count(domain, operation, self.clock.now())
    }

    /// The domain is no more, killed or not: its ports close, its mappings go, its grants end.
    pub(crate) fn end(&mut self, id: DomId) {
        let Some(domain) = self.domain(id) else {
            return;
        };
        for mapped in domain.mappings.take_all() {
            if let Some(address) = mapped.address {
                // SAFETY: the entry was in the table, and whoever drops a mapping takes its entries out before, under the lock that
                // this method is called under. So the mapping is still there.
                unsafe { sever(address) };
            }
            self.unmapped(mapped);
        }
        let Some(domain) = self.domain(id) else {
            return;
        };
        let bindings: Vec<Binding> = domain.ports.used().map(|(_, binding)| binding).collect();
        for binding in bindings {
            self.disconnect(id, binding);
        }
        let Some(domain) = self.domain(id) else {
            return;
        };
        domain.dead = true;
        domain.upcall.die();
        if domain.grants.mapped_count() == 0 {
            self.domains.remove(&id);
        }
        self.deaths.fetch_add(1, Ordering::SeqCst);
        self.raise_virq(DomId::DOM0, Virq::DomainException);
    }

    /// The domain's main function has returned, and all that it had is dropped. Then the domain has ended too, unless somebody has kept
    /// a part of it.
    pub(crate) fn returned(&mut self, id: DomId) {
        if let Some(domain) = self.domain(id) {
            domain.returned = true;
        }
    }

    pub(crate) fn usage(&self, id: DomId) -> Usage {
        let Some(domain) = self.domains.get(&id) else {
            return Usage::default();
        };
        Usage {
            grants_used: domain.grants.used_count(),
            grants_total: domain.grants.size(),
            quarantined_pages: domain.grants.quarantined_count(),
            ports_used: domain.ports.used().count(),
            ports_total: domain.ports.size(),
            // What is the process's own, it knows itself.
            ..Usage::default()
        }
    }

    pub(crate) fn leftovers(&self) -> Leftovers {
        let mut found = Vec::new();
        for (&id, domain) in &self.domains {
            if domain.dead {
                found.push(Leftover::DeadDomain {
                    domain: id,
                    mapped_pages: domain.grants.mapped_count(),
                });
                continue;
            }
            domain.leftovers(id, &mut found);
        }
        Leftovers::new(found)
    }
}

impl DomainState {
    fn leftovers(&self, id: DomId, found: &mut Vec<Leftover>) {
        if self.returned {
            found.push(Leftover::Undead { domain: id });
        }
        let granted: BTreeSet<usize> = self.grants.used().map(|(_, entry)| entry.page).collect();
        for page in self.pages.used().filter(|page| !granted.contains(page)) {
            found.push(Leftover::Page { domain: id, page });
        }
        for (grant, entry) in self.grants.used() {
            if entry.quarantined {
                found.push(Leftover::QuarantinedPage {
                    domain: id,
                    peer: entry.peer,
                    grant,
                });
            } else if !self.built_grants.contains(&grant) {
                found.push(Leftover::Grant {
                    domain: id,
                    peer: entry.peer,
                    grant,
                });
            }
        }
        for (port, _) in self.ports.used() {
            if !self.built_ports.contains(&port) {
                found.push(Leftover::Port { domain: id, port });
            }
        }
        for mapped in self.mappings.iter() {
            let built = mapped.peer == id && self.built_grants.contains(&mapped.grant);
            if !built {
                found.push(Leftover::Mapping {
                    domain: id,
                    peer: mapped.peer,
                    grant: mapped.grant,
                });
            }
        }
    }
}
