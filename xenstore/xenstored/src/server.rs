//! The daemon: one store, and everybody who is served with it.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use morgana_exec::{Handle, Task};
use morgana_hal::{ByteStream, DomId, DomainState, Port, StreamError};
use morgana_xenstore_store::{
    ConnectionId, Effect, Outgoing, PendingIntroduce, Quota, Rights, Store,
};
use morgana_xenstore_wire::Packet;

use crate::domain::{End, serve};
use crate::outbox::Outbox;
use crate::{IntroduceError, Rings, Served};

/// A xenstore daemon. Clones are the same one.
pub struct Server<R: Rings>(Rc<Inner<R>>);

struct Inner<R> {
    rings: R,
    tasks: Handle,
    store: RefCell<Store>,
    clients: RefCell<BTreeMap<ConnectionId, Client>>,
}

/// Somebody who is served.
struct Client {
    /// Whose ring it is; `None` is a local client, such as one of a socket.
    domain: Option<DomId>,
    outbox: Rc<Outbox>,
    task: Task<()>,
}

impl<R: Rings> Clone for Server<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Rings> fmt::Debug for Server<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("domains", &self.domains())
            .finish_non_exhaustive()
    }
}

impl<R: Rings> Server<R> {
    /// A daemon with an empty store, which serves nobody yet. Its tasks run on `tasks`' executor.
    pub fn new(rings: R, tasks: &Handle, quota: Quota) -> Self {
        Self(Rc::new(Inner {
            rings,
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
        let stream = self.0.rings.attach(domain, port)?;
        self.introduce_stream(domain, stream, rights)
    }

    /// The same for a domain whose ring was reached in another way.
    ///
    /// # Errors
    ///
    /// [`IntroduceError`].
    pub fn introduce_stream(
        &self,
        domain: DomId,
        stream: impl Served,
        rights: Rights,
    ) -> Result<(), IntroduceError> {
        if self.0.store.borrow().connection_of(domain).is_some() {
            return Err(IntroduceError::Served);
        }
        let mut out = Vec::new();
        let connection = self
            .0
            .store
            .borrow_mut()
            .introduce(domain, rights, &mut out);
        self.deliver(out);
        self.start_ring(connection, domain, stream)
    }

    /// Serves a local client, such as one of a socket, until it closes its stream. It acts for `domain`.
    ///
    /// # Errors
    ///
    /// [`IntroduceError::TooManyTasks`].
    pub fn connect(
        &self,
        domain: DomId,
        stream: impl ByteStream,
        rights: Rights,
    ) -> Result<(), IntroduceError> {
        let connection = self.0.store.borrow_mut().connect(domain, rights);
        let ended = |_: &_, end: End| match end {
            // That is how local clients end.
            End::Stream(StreamError::Closed) => {}
            _ => log::warn!("a local client is not served any longer: {end}"),
        };
        self.start(connection, None, stream, ended)
    }

    /// Makes a node, as the control domain would.
    pub fn make(&self, path: &str) {
        self.0.store.borrow_mut().make(path);
    }

    /// Looks how the domains are that were introduced, all but `own`: those that are gone are released, and of those that have shut
    /// down the watchers hear once. To be called when Xen says that some domain has changed.
    pub fn refresh(&self, own: DomId, mut state: impl FnMut(DomId) -> DomainState) {
        let introduced: Vec<DomId> = self.0.store.borrow().introduced().collect();
        for domain in introduced.into_iter().filter(|&domain| domain != own) {
            match state(domain) {
                DomainState::Running => {}
                DomainState::ShutDown => {
                    let mut out = Vec::new();
                    self.0.store.borrow_mut().shut_down(domain, &mut out);
                    self.deliver(out);
                }
                DomainState::Gone => {
                    log::info!("{domain} is gone");
                    self.release(domain);
                }
            }
        }
    }

    /// How many local clients are served.
    pub fn local_clients(&self) -> usize {
        let clients = self.0.clients.borrow();
        let local = clients.values().filter(|client| client.domain.is_none());
        local.count()
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
        clients
            .values()
            .filter_map(|client| client.domain)
            .collect()
    }

    fn start_ring(
        &self,
        connection: ConnectionId,
        domain: DomId,
        stream: impl Served,
    ) -> Result<(), IntroduceError> {
        stream.advertise(self.0.store.borrow().features_of(domain));
        let ended = move |stream: &_, end: End| {
            log::warn!("{domain} is not served any longer: {end}");
            Served::give_up(stream, end.fault());
        };
        self.start(connection, Some(domain), stream, ended)
    }

    /// Serves a stream in a task of its own; `ended` is called when it has ended by itself.
    fn start<S: ByteStream>(
        &self,
        connection: ConnectionId,
        domain: Option<DomId>,
        stream: S,
        ended: impl FnOnce(&S, End) + 'static,
    ) -> Result<(), IntroduceError> {
        let outbox = Rc::new(Outbox::default());
        let server = self.clone();
        let serving = {
            let outbox = outbox.clone();
            async move {
                let end = serve(server.clone(), connection, &stream, outbox).await;
                ended(&stream, end);
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
            let stays = client.domain != Some(domain);
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
        let attached = self.0.rings.attach(pending.domain, Port::new(pending.port));
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
            && let Err(error) = self.start_ring(connection, pending.domain, stream)
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
