//! One domain's event channel ports.

use morgana_hal::{DomId, EventError, Port, Virq};

/// How many ports two-level channels can have in a 64-bit domain (event_channel.h, `EVTCHN_2L_NR_CHANNELS`).
pub(crate) const MAX_PORTS: u32 = 4096;

/// What a port in use is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binding {
    /// To nobody yet, or nobody any more; the domain named may connect.
    Unbound { peer: DomId },
    /// To a port of a peer.
    Interdomain { peer: DomId, remote: Port },
    /// To a virtual interrupt.
    Virq(Virq),
}

#[derive(Debug)]
pub(crate) struct PortTable {
    ports: Vec<Option<Binding>>,
}

impl PortTable {
    pub(crate) fn new(ports: u32) -> Self {
        Self {
            ports: vec![None; ports as usize],
        }
    }

    /// Binds the lowest free port. Port 0 is never given out.
    pub(crate) fn open(&mut self, binding: Binding) -> Result<Port, EventError> {
        let free = self.ports.iter().skip(1).position(Option::is_none);
        let index = free.ok_or(EventError::NoFreePort)? + 1;
        self.ports[index] = Some(binding);
        Ok(port(index))
    }

    pub(crate) fn binding(&self, port: Port) -> Option<Binding> {
        *self.ports.get(port.number() as usize)?
    }

    /// Binds a port in use to something else.
    pub(crate) fn rebind(&mut self, port: Port, binding: Binding) {
        if let Some(Some(bound)) = self.ports.get_mut(port.number() as usize) {
            *bound = binding;
        }
    }

    pub(crate) fn close(&mut self, port: Port) -> Option<Binding> {
        self.ports.get_mut(port.number() as usize)?.take()
    }

    /// All ports in use, in order.
    pub(crate) fn used(&self) -> impl Iterator<Item = (Port, Binding)> {
        let ports = self.ports.iter().enumerate();
        ports.filter_map(|(index, binding)| Some((port(index), (*binding)?)))
    }

    pub(crate) fn virq(&self, virq: Virq) -> Option<Port> {
        let bound = Binding::Virq(virq);
        self.used()
            .find_map(|(port, binding)| (binding == bound).then_some(port))
    }

    pub(crate) fn size(&self) -> usize {
        self.ports.len()
    }
}

fn port(index: usize) -> Port {
    // The table has at most MAX_PORTS entries.
    Port::new(index as u32)
}
