//! All that the hypervisor knows, behind one lock.
//!
//! Methods take the calling domain's id first, as a hypercall knows its caller. A domain that is dead may still call, since its thread
//! cannot be stopped from outside; it is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use morgana_hal::{DomId, EventError, GrantRef, MemoryError, Port, Usage, Virq};

use crate::backing::Backing;
use crate::grants::{Access, After, GrantTable};
use crate::leftovers::{Leftover, Leftovers};
use crate::mapping::{PageAddress, sever};
use crate::mappings::{Handle, Mapped, Mappings, StaleHandle};
use crate::pages::PageAllocator;
use crate::ports::{Binding, PortTable};
use crate::upcall::Upcall;

#[derive(Debug, Default)]
pub(crate) struct State {
    domains: BTreeMap<DomId, DomainState>,
    next_id: u16,
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
    /// A dead domain stays as long as a peer maps one of its pages.
    pub(crate) dead: bool,
}

impl State {
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

    // Memory.

    /// The domain's memory, also when it is dead but some of it is mapped.
    pub(crate) fn backing(&self, id: DomId) -> Option<Arc<Backing>> {
        Some(self.domains.get(&id)?.backing.clone())
    }

    /// Takes `count` neighbouring pages, zeroed, and grants each to `peer`. Returns the first.
    pub(crate) fn share(
        &mut self,
        caller: DomId,
        peer: DomId,
        count: usize,
        access: Access,
    ) -> Result<(Arc<Backing>, usize, Vec<GrantRef>), MemoryError> {
        if !self.is_running(peer) {
            return Err(MemoryError::NoSuchDomain);
        }
        let domain = self.domain(caller).ok_or(MemoryError::NoSuchDomain)?;
        if domain.grants.free_entries() < count {
            return Err(MemoryError::NoFreeGrant);
        }
        let first = domain.pages.take(count).ok_or(MemoryError::OutOfMemory)?;
        domain.backing.zero(first, count);
        let grants = (first..first + count)
            .map(|page| domain.grants.add(peer, access, page))
            .collect::<Result<_, _>>()?;
        Ok((domain.backing.clone(), first, grants))
    }

    /// Ends the peer's access to own pages. Pages that it still maps are set aside.
    pub(crate) fn end_sharing(&mut self, caller: DomId, grants: &[GrantRef]) {
        let Some(domain) = self.domain(caller) else {
            return;
        };
        for &grant in grants {
            if let After::Freed { page } = domain.grants.end(grant) {
                domain.pages.give_back(page);
            }
        }
    }

    /// Maps one page: checks it all, has `place` do it, and writes it down.
    pub(crate) fn map(
        &mut self,
        caller: DomId,
        peer: DomId,
        grant: GrantRef,
        place: impl FnOnce(&Backing, usize) -> Result<PageAddress, MemoryError>,
    ) -> Result<Handle, MemoryError> {
        let own = self.domain(caller).ok_or(MemoryError::NoSuchDomain)?;
        own.mappings.check_room()?;
        let granter = self.domain(peer).ok_or(MemoryError::NoSuchDomain)?;
        let entry = granter.grants.check(grant, caller, Access::ReadWrite)?;
        if entry.mapped {
            // Xen would allow this; here it is an error, for nobody has a use for it but a bug.
            return Err(MemoryError::BadGrant);
        }
        let address = place(&granter.backing, entry.page)?;
        entry.mapped = true;
        let own = self.domain(caller).ok_or(MemoryError::NoSuchDomain)?;
        own.mappings.add(Mapped {
            peer,
            grant,
            address,
        })
    }

    /// Takes a mapping off the books. The caller unmaps the page only afterwards.
    pub(crate) fn unmap(&mut self, caller: DomId, handle: Handle) -> Result<(), StaleHandle> {
        let own = self.domain(caller).ok_or(StaleHandle)?;
        let mapped = own.mappings.remove(handle)?;
        self.unmapped(mapped);
        Ok(())
    }

    fn unmapped(&mut self, mapped: Mapped) {
        let Some(granter) = self.domains.get_mut(&mapped.peer) else {
            return;
        };
        if let After::Freed { page } = granter.grants.unmapped(mapped.grant) {
            granter.pages.give_back(page);
        }
        if granter.dead && granter.grants.mapped_count() == 0 {
            self.domains.remove(&mapped.peer);
        }
    }

    /// Lets `copy` have the page that `grant` names, if `caller` may access it so.
    pub(crate) fn with_granted_page(
        &mut self,
        caller: DomId,
        peer: DomId,
        grant: GrantRef,
        access: Access,
        copy: impl FnOnce(&Backing, usize),
    ) -> Result<(), MemoryError> {
        if !self.is_running(caller) {
            return Err(MemoryError::NoSuchDomain);
        }
        let granter = self.domain(peer).ok_or(MemoryError::NoSuchDomain)?;
        let page = granter.grants.check(grant, caller, access)?.page;
        copy(&granter.backing, page);
        Ok(())
    }

    // Events.

    pub(crate) fn listen(&mut self, caller: DomId, peer: DomId) -> Result<Port, EventError> {
        if !self.is_running(peer) {
            return Err(EventError::NoSuchDomain);
        }
        let domain = self.domain(caller).ok_or(EventError::NoSuchDomain)?;
        domain.ports.open(Binding::Unbound { peer })
    }

    pub(crate) fn connect(
        &mut self,
        caller: DomId,
        peer: DomId,
        remote: Port,
    ) -> Result<Port, EventError> {
        let other = self.domain(peer).ok_or(EventError::NoSuchDomain)?;
        if other.ports.binding(remote) != Some(Binding::Unbound { peer: caller }) {
            return Err(EventError::Refused);
        }
        let own = self.domain(caller).ok_or(EventError::NoSuchDomain)?;
        let port = own.ports.open(Binding::Interdomain { peer, remote })?;
        // The peer may have notified before there was anybody to hear it, so Xen makes up for that with one event here.
        own.deliver(port);
        if let Some(other) = self.domain(peer) {
            let back = Binding::Interdomain {
                peer: caller,
                remote: port,
            };
            other.ports.rebind(remote, back);
        }
        Ok(port)
    }

    pub(crate) fn bind_virq(&mut self, caller: DomId, virq: Virq) -> Result<Port, EventError> {
        let allowed = match virq {
            // The emulation's Idle has the clock; there is no timer to bind.
            Virq::Timer => false,
            Virq::Debug => true,
            Virq::DomainException => caller == DomId::DOM0,
        };
        let domain = self.domain(caller).ok_or(EventError::NoSuchDomain)?;
        if !allowed || domain.ports.virq(virq).is_some() {
            return Err(EventError::Denied);
        }
        domain.ports.open(Binding::Virq(virq))
    }

    /// An event from `caller`'s port to wherever it leads. To nowhere, it is ignored, as Xen does.
    pub(crate) fn notify(&mut self, caller: DomId, port: Port) {
        let Some(domain) = self.domain(caller) else {
            return;
        };
        if let Some(Binding::Interdomain { peer, remote }) = domain.ports.binding(port)
            && let Some(peer) = self.domain(peer)
        {
            peer.deliver(remote);
        }
    }

    pub(crate) fn raise_virq(&mut self, target: DomId, virq: Virq) {
        if let Some(domain) = self.domain(target)
            && let Some(port) = domain.ports.virq(virq)
        {
            domain.deliver(port);
        }
    }

    pub(crate) fn close(&mut self, caller: DomId, port: Port) {
        let Some(domain) = self.domain(caller) else {
            return;
        };
        domain.upcall.clear(port);
        domain.built_ports.retain(|&built| built != port);
        if let Some(binding) = domain.ports.close(port) {
            self.disconnect(caller, binding);
        }
    }

    /// The other end of a closed port hears nothing of it: it is unbound, and waits for the same domain again.
    fn disconnect(&mut self, caller: DomId, binding: Binding) {
        if let Binding::Interdomain { peer, remote } = binding
            && let Some(other) = self.domain(peer)
        {
            other
                .ports
                .rebind(remote, Binding::Unbound { peer: caller });
        }
    }

    // Domains.

    /// The domain is no more, killed or not: its ports close, its mappings go, its grants end.
    pub(crate) fn end(&mut self, id: DomId) {
        let Some(domain) = self.domain(id) else {
            return;
        };
        for mapped in domain.mappings.take_all() {
            // SAFETY: the entry was in the table, and whoever drops a mapping takes its entries out before, under the lock that
            // this method is called under. So the mapping is still there.
            unsafe { sever(mapped.address) };
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
        self.raise_virq(DomId::DOM0, Virq::DomainException);
    }

    pub(crate) fn usage(&self, id: DomId) -> Usage {
        let Some(domain) = self.domains.get(&id) else {
            return Usage::default();
        };
        Usage {
            heap_used_bytes: 0,
            heap_total_bytes: 0,
            grants_used: domain.grants.used_count(),
            grants_total: domain.grants.size(),
            quarantined_pages: domain.grants.quarantined_count(),
            ports_used: domain.ports.used().count(),
            ports_total: domain.ports.size(),
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
    /// All events come through here, so this is where a plan of faults can hold one back, or make one up.
    fn deliver(&self, port: Port) {
        self.upcall.raise(port);
    }

    fn leftovers(&self, id: DomId, found: &mut Vec<Leftover>) {
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
