//! The daemon: one store, and everybody who is served with it.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use morgana_exec::{Handle, Task};
use morgana_hal::{DomId, Events, GrantRef, Memory, Platform, Port};
use morgana_ring::{ByteLayout, RingStream, Side};
use morgana_xenstore_store::{
    ConnectionId, Effect, Outgoing, PendingIntroduce, Quota, Rights, Store,
};
use morgana_xenstore_wire::Packet;

use crate::IntroduceError;
use crate::domain::serve;
use crate::outbox::Outbox;

/// By which reference a domain grants its xenstore page (grant_table.h, `GNTTAB_RESERVED_XENSTORE`).
const XENSTORE_GRANT: GrantRef = GrantRef::new(1);

type StreamOf<P> = RingStream<
    <<P as Platform>::Memory as Memory>::Imported,
    <<P as Platform>::Events as Events>::Channel,
>;

/// A xenstore daemon. Clones are the same one.
pub struct Server<P: Platform>(Rc<Inner<P>>);

struct Inner<P> {
    platform: P,
    tasks: Handle,
    store: RefCell<Store>,
    clients: RefCell<BTreeMap<ConnectionId, Client>>,
}

/// Somebody who is served.
struct Client {
    domain: DomId,
    outbox: Rc<Outbox>,
    task: Task<()>,
}

impl<P: Platform> Clone for Server<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Platform> fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("domains", &self.domains())
            .finish_non_exhaustive()
    }
}

impl<P: Platform> Server<P> {
    /// A daemon with an empty store, which serves nobody yet. Its tasks run on `tasks`' executor.
    pub fn new(platform: P, tasks: &Handle, quota: Quota) -> Self {
        Self(Rc::new(Inner {
            platform,
            tasks: tasks.clone(),
            store: RefCell::new(Store::new(quota)),
            clients: RefCell::default(),
        }))
    }

    /// Serves a domain from now on: its ring is in the page that it grants with the reserved reference, and `port` is its own. A domain
    /// may also serve itself.
    ///
    /// # Errors
    ///
    /// [`IntroduceError`].
    pub fn introduce(
        &self,
        domain: DomId,
        port: Port,
        rights: Rights,
    ) -> Result<(), IntroduceError> {
        if self.0.store.borrow().connection_of(domain).is_some() {
            return Err(IntroduceError::Served);
        }
        let stream = self.attach(domain, port)?;
        let mut out = Vec::new();
        let connection = self
            .0
            .store
            .borrow_mut()
            .introduce(domain, rights, &mut out);
        self.deliver(out);
        self.start(connection, domain, stream)
    }

    /// Serves a domain no longer: it is dead, or the toolstack says so. Those who watch for it hear of it. Says whether it was served.
    pub fn release(&self, domain: DomId) -> bool {
        let mut out = Vec::new();
        let was_served = self.0.store.borrow_mut().release(domain, &mut out);
        self.stop(domain);
        self.deliver(out);
        was_served
    }

    /// The domains that are served.
    pub fn domains(&self) -> Vec<DomId> {
        let clients = self.0.clients.borrow();
        clients.values().map(|client| client.domain).collect()
    }

    fn attach(&self, domain: DomId, port: Port) -> Result<StreamOf<P>, IntroduceError> {
        let pages = self.0.platform.memory().import(domain, &[XENSTORE_GRANT])?;
        let channel = self.0.platform.events().connect(domain, port)?;
        let stream = RingStream::attach(pages, channel, ByteLayout::XENSTORE, Side::Server)?;
        Ok(stream)
    }

    fn start(
        &self,
        connection: ConnectionId,
        domain: DomId,
        stream: StreamOf<P>,
    ) -> Result<(), IntroduceError> {
        let outbox = Rc::new(Outbox::default());
        let server = self.clone();
        let serving = {
            let outbox = outbox.clone();
            async move {
                let end = serve(server.clone(), connection, stream, outbox).await;
                log::warn!("{domain} is not served any longer: {end}");
                server.forget(connection);
            }
        };
        match self.0.tasks.spawn(serving) {
            Ok(task) => {
                let client = Client {
                    domain,
                    outbox,
                    task,
                };
                self.0.clients.borrow_mut().insert(connection, client);
                Ok(())
            }
            Err(error) => {
                self.0.store.borrow_mut().disconnect(connection);
                Err(error.into())
            }
        }
    }

    /// Ends the tasks of a domain, and with them the use of its ring.
    fn stop(&self, domain: DomId) {
        self.0.clients.borrow_mut().retain(|_, client| {
            let stays = client.domain != domain;
            if !stays {
                client.task.abort();
            }
            stays
        });
    }

    /// A client has broken its connection.
    fn forget(&self, connection: ConnectionId) {
        self.0.store.borrow_mut().disconnect(connection);
        self.0.clients.borrow_mut().remove(&connection);
    }

    /// One request.
    pub(crate) fn handle(&self, from: ConnectionId, packet: Packet<'_>) {
        let mut out = Vec::new();
        let effect = self.0.store.borrow_mut().handle(from, packet, &mut out);
        self.deliver(out);
        match effect {
            Effect::None => {}
            Effect::Introduce(pending) => self.introduce_pending(pending),
            Effect::Release(domain) => self.stop(domain),
        }
    }

    fn introduce_pending(&self, pending: PendingIntroduce) {
        let attached = self.attach(pending.domain, Port::new(pending.port));
        let result = match &attached {
            Ok(_) => Ok(()),
            Err(error) => {
                log::warn!("{} cannot be served: {error}", pending.domain);
                Err(error.errno())
            }
        };
        let mut out = Vec::new();
        let connection = self
            .0
            .store
            .borrow_mut()
            .finish_introduce(pending, result, &mut out);
        self.deliver(out);
        if let (Some(connection), Ok(stream)) = (connection, attached)
            && let Err(error) = self.start(connection, pending.domain, stream)
        {
            log::warn!("{} cannot be served: {error}", pending.domain);
        }
    }

    fn deliver(&self, out: Vec<Outgoing>) {
        let clients = self.0.clients.borrow();
        for packet in out {
            if let Some(client) = clients.get(&packet.to) {
                client.outbox.push(packet);
            }
        }
    }
}
