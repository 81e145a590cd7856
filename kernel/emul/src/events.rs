//! Event channels, as the hal knows them.

use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};
use std::collections::BTreeMap;
use std::rc::Rc;

use morgana_exec::Notify;
use morgana_hal::{Channel, DomId, EventError, Events, Port, Virq};

use crate::domain::Life;
use crate::upcall::Upcall;

/// The open ports of a domain, on its own thread.
#[derive(Debug, Default)]
pub(crate) struct LocalPorts(RefCell<BTreeMap<Port, Rc<Notify>>>);

impl LocalPorts {
    pub(crate) fn open(&self, port: Port) -> Rc<Notify> {
        let arrivals = Rc::new(Notify::new());
        self.0.borrow_mut().insert(port, arrivals.clone());
        arrivals
    }

    fn close(&self, port: Port) {
        self.0.borrow_mut().remove(&port);
    }

    /// Counts pending events on their channels.
    pub(crate) fn dispatch(&self, upcall: &Upcall) -> usize {
        let found = Cell::new(0);
        let ports = self.0.borrow();
        upcall.take_pending(|port| {
            // A port that was closed a moment ago may have been pending still.
            if let Some(arrivals) = ports.get(&port) {
                arrivals.notify();
                found.set(found.get() + 1);
            }
        });
        found.get()
    }
}

/// Makes a domain's channels.
#[derive(Clone, Debug)]
pub struct EmulEvents {
    life: Rc<Life>,
    local: Rc<LocalPorts>,
}

/// One end of an event channel.
#[derive(Debug)]
pub struct EmulChannel {
    life: Rc<Life>,
    local: Rc<LocalPorts>,
    port: Port,
    arrivals: Rc<Notify>,
}

impl EmulEvents {
    pub(crate) fn new(life: Rc<Life>, local: Rc<LocalPorts>) -> Self {
        Self { life, local }
    }

    /// The channel of an open port; once only for each.
    pub(crate) fn channel(&self, port: Port) -> EmulChannel {
        EmulChannel {
            life: self.life.clone(),
            local: self.local.clone(),
            port,
            arrivals: self.local.open(port),
        }
    }
}

impl Events for EmulEvents {
    type Channel = EmulChannel;

    /// # Errors
    ///
    /// Besides what Xen refuses: [`EventError::NoSuchDomain`] for a peer that does not exist yet.
    fn listen(&self, peer: DomId) -> Result<EmulChannel, EventError> {
        let port = self.life.listen(peer)?;
        Ok(self.channel(port))
    }

    fn connect(&self, peer: DomId, remote: Port) -> Result<EmulChannel, EventError> {
        let port = self.life.connect(peer, remote)?;
        Ok(self.channel(port))
    }

    fn virq(&self, virq: Virq) -> Result<EmulChannel, EventError> {
        let port = self.life.bind_virq(virq)?;
        Ok(self.channel(port))
    }
}

impl Channel for EmulChannel {
    fn port(&self) -> Port {
        self.port
    }

    fn notify(&self) {
        self.life.notify(self.port);
    }

    fn count(&self) -> u64 {
        self.arrivals.count()
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        self.arrivals.poll_after(seen, cx)
    }
}

impl Drop for EmulChannel {
    fn drop(&mut self) {
        self.life.close(self.port);
        self.local.close(self.port);
    }
}
