//! Event channels: ports, and what arrives at them.

use morgana_hal::{Clock, DomId, EventError, Instant, Port, Virq};

use super::{DomainState, State};
use crate::faults::{Operation, Trouble};
use crate::ports::Binding;

impl State {
    pub(crate) fn listen(&mut self, caller: DomId, peer: DomId) -> Result<Port, EventError> {
        self.opening(caller)?;
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
        self.opening(caller)?;
        let other = self.domain(peer).ok_or(EventError::NoSuchDomain)?;
        if other.ports.binding(remote) != Some(Binding::Unbound { peer: caller }) {
            return Err(EventError::Refused);
        }
        let own = self.domain(caller).ok_or(EventError::NoSuchDomain)?;
        let port = own.ports.open(Binding::Interdomain { peer, remote })?;
        // The peer may have notified before there was anybody to hear it, so Xen makes up for that with one event here.
        if let Some(other) = self.domain(peer) {
            let back = Binding::Interdomain {
                peer: caller,
                remote: port,
            };
            other.ports.rebind(remote, back);
        }
        self.deliver(caller, port);
        Ok(port)
    }

    /// What every call begins with that takes a port.
    fn opening(&mut self, caller: DomId) -> Result<(), EventError> {
        self.hypercall(caller);
        match self.fault(caller, Operation::OpenPort) {
            Some(_) => Err(EventError::NoFreePort),
            None => Ok(()),
        }
    }

    pub(crate) fn bind_virq(&mut self, caller: DomId, virq: Virq) -> Result<Port, EventError> {
        self.opening(caller)?;
        let allowed = match virq {
            // The emulation's Idle has the clock; there is no timer to bind.
            Virq::Timer => false,
            // This hypervisor says nothing.
            Virq::ConsoleRing => false,
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
        self.hypercall(caller);
        let Some(domain) = self.domain(caller) else {
            return;
        };
        if let Some(Binding::Interdomain { peer, remote }) = domain.ports.binding(port) {
            self.deliver(peer, remote);
        }
    }

    pub(crate) fn raise_virq(&mut self, target: DomId, virq: Virq) {
        if let Some(domain) = self.domain(target)
            && let Some(port) = domain.ports.virq(virq)
        {
            self.deliver(target, port);
        }
    }

    /// All events come through here, so this is where a fault holds one back, or makes one up.
    fn deliver(&mut self, target: DomId, port: Port) {
        let trouble = match self.xenstore_guest(target, port) {
            Some(guest) => self.fault(guest, Operation::XenstoreEvent),
            None => self.fault(target, Operation::Event),
        };
        // Time is asked for only where something goes wrong: this is on the way of every event.
        let now = trouble.map_or(Instant::ZERO, |_| self.clock.now());
        let Some(domain) = self.domain(target) else {
            return;
        };
        match trouble {
            Some(Trouble::LostEvent) => {}
            Some(Trouble::LateEvent(by) | Trouble::LateXenstore(by)) => {
                domain.deliver_at(port, now + by);
            }
            Some(Trouble::RepeatedEvent(after)) => {
                domain.upcall.raise(port);
                domain.deliver_at(port, now + after);
            }
            Some(Trouble::SpuriousEvents) => {
                for (open, _) in domain.ports.used() {
                    domain.upcall.raise(open);
                }
            }
            _ => domain.upcall.raise(port),
        }
    }

    /// If a port belongs to the xenstore ring of a domain: which domain's.
    fn xenstore_guest(&self, domain: DomId, port: Port) -> Option<DomId> {
        if self.faults.is_empty() {
            return None;
        }
        let here = self.domains.get(&domain)?;
        if here.built_ports.contains(&port) {
            return Some(domain);
        }
        let Some(Binding::Interdomain { peer, remote }) = here.ports.binding(port) else {
            return None;
        };
        let there = self.domains.get(&peer)?;
        there.built_ports.contains(&remote).then_some(peer)
    }

    /// Lets the late events come that are due.
    pub(crate) fn deliver_late(&mut self, target: DomId, now: Instant) {
        let Some(domain) = self.domain(target) else {
            return;
        };
        while let Some(port) = domain.late.take(now) {
            domain.upcall.raise(port);
        }
        domain.upcall.set_late(domain.late.next());
    }

    pub(crate) fn close(&mut self, caller: DomId, port: Port) {
        self.hypercall(caller);
        let Some(domain) = self.domain(caller) else {
            return;
        };
        domain.upcall.clear(port);
        domain.late.forget(port);
        domain.built_ports.retain(|&built| built != port);
        if let Some(binding) = domain.ports.close(port) {
            self.disconnect(caller, binding);
        }
    }

    /// The other end of a closed port hears nothing of it: it is unbound, and waits for the same domain again.
    pub(super) fn disconnect(&mut self, caller: DomId, binding: Binding) {
        if let Binding::Interdomain { peer, remote } = binding
            && let Some(other) = self.domain(peer)
        {
            other
                .ports
                .rebind(remote, Binding::Unbound { peer: caller });
        }
    }
}

impl DomainState {
    /// An event for later.
    fn deliver_at(&mut self, port: Port, due: Instant) {
        if self.late.add(port, due) {
            self.upcall.set_late(self.late.next());
        } else {
            self.upcall.raise(port);
        }
    }
}
