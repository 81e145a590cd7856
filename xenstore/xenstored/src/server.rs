//! The daemon: one store, and everybody who is served with it.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;

use morgana_exec::{Handle, Seldom, Task, Timers};
use morgana_hal::{ByteStream, DomId, DomainState, Port, StreamError};
use morgana_xenstore_migration::{Descriptor, Position};
use morgana_xenstore_store::{
    ConnectionId, Features, MemoryLeft, Orphans, Quota, Reach, Rights, Service, Store, Trace,
};

use crate::client::{End, Session};
use crate::inbox::Inbox;
use crate::line::{LocalLine, RingLine};
use crate::outbox::Outbox;
use crate::rate::{Credit, Rates};
use crate::ring::serve_ring;
use crate::slot::{Keeper, Scratch, Standing};
use crate::update::Updates;
use crate::{IntroduceError, Rings, Served};

/// A xenstore daemon. Clones are the same one.
pub struct Server<R: Rings>(pub(crate) Rc<Inner<R>>);

pub(crate) struct Inner<R> {
    pub(crate) rings: R,
    pub(crate) tasks: Handle,
    pub(crate) store: RefCell<Store>,
    pub(crate) clients: RefCell<BTreeMap<ConnectionId, Client>>,
    rates: Rc<Rates>,
    pub(crate) updates: Updates,
    pub(crate) scratch: RefCell<Scratch>,
    /// How many introductions are under way.
    pub(crate) introductions: Cell<usize>,
}

/// Somebody who is served.
pub(crate) struct Client {
    pub(crate) reach: Reach,
    pub(crate) inbox: Rc<Inbox>,
    pub(crate) outbox: Rc<Outbox>,
    task: Task<()>,
    /// How often its events had to be replaced, and how often it had to write more slowly.
    pub(crate) overruns: Seldom,
    slowdowns: Seldom,
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
        Self::with_store(rings, tasks, Store::new(quota))
    }

    pub(crate) fn with_store(rings: R, tasks: &Handle, store: Store) -> Self {
        Self(Rc::new(Inner {
            rings,
            tasks: tasks.clone(),
            store: RefCell::new(store),
            clients: RefCell::default(),
            rates: Rc::default(),
            updates: Updates::default(),
            scratch: RefCell::default(),
            introductions: Cell::new(0),
        }))
    }

    /// Sets what becomes of the nodes of domains that will be gone.
    pub fn set_orphans(&self, orphans: Orphans) {
        self.0.store.borrow_mut().set_orphans(orphans);
    }

    /// Sets whether each request is logged.
    pub fn set_trace(&self, trace: Trace) {
        self.0.store.borrow_mut().set_trace(trace);
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
        self.start_ring(connection, domain, rights, stream)
    }

    /// Serves a local client, such as one of a socket, until it closes its stream. It acts for `domain`. `descriptor` is what another
    /// program finds the stream by, if it takes over.
    ///
    /// # Errors
    ///
    /// [`IntroduceError::TooManyTasks`].
    pub fn connect(
        &self,
        domain: DomId,
        stream: impl ByteStream,
        descriptor: Descriptor,
        rights: Rights,
    ) -> Result<(), IntroduceError> {
        let connection = self.0.store.borrow_mut().connect(domain, rights);
        let session = self.session(connection, rights);
        self.start_local(session, Reach::Socket(descriptor), stream)
    }

    pub(crate) fn start_local(
        &self,
        session: Session<R>,
        reach: Reach,
        stream: impl ByteStream,
    ) -> Result<(), IntroduceError> {
        let connection = session.connection;
        let buffers = (session.inbox.clone(), session.outbox.clone());
        self.start(connection, reach, buffers, async move {
            match session.serve(&LocalLine(stream)).await {
                // That is how local clients end.
                End::Stream(StreamError::Closed) => {}
                end => log::warn!("a local client is not served any longer: {end}"),
            }
            session.server.forget(connection);
        })
    }

    /// Makes a node, as the control domain would.
    pub fn make(&self, path: &str) {
        self.0.store.borrow_mut().make(path);
    }

    /// Looks how the domains are that were introduced, or that permissions name, all but `own`: those that are gone are released, and of
    /// those that have shut down the watchers hear once. To be called when Xen says that some domain has changed.
    pub fn refresh(&self, own: DomId) {
        let known = self.0.store.borrow().known();
        for domain in known.into_iter().filter(|&domain| domain != own) {
            match self.0.rings.state(domain) {
                DomainState::Running => {}
                DomainState::ShutDown => {
                    let mut out = Vec::new();
                    self.0.store.borrow_mut().shut_down(domain, &mut out);
                    self.deliver(out);
                }
                DomainState::Gone => {
                    if self.release(domain) {
                        log::info!("{domain} is gone");
                    }
                }
            }
        }
    }

    /// How many local clients are served.
    pub fn local_clients(&self) -> usize {
        let clients = self.0.clients.borrow();
        let local = clients.values().filter(|client| client.domain().is_none());
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
        let open = clients.values().filter(|client| client.outbox.is_open());
        open.filter_map(Client::domain).collect()
    }

    pub(crate) fn session(&self, connection: ConnectionId, rights: Rights) -> Session<R> {
        let credit = (rights == Rights::Guest)
            .then(|| RefCell::new(Credit::new(&self.0.rates, self.timers().now())));
        Session {
            server: self.clone(),
            connection,
            inbox: Rc::default(),
            outbox: Rc::default(),
            credit,
        }
    }

    pub(crate) fn start_ring(
        &self,
        connection: ConnectionId,
        domain: DomId,
        rights: Rights,
        stream: impl Served,
    ) -> Result<(), IntroduceError> {
        let features = self.features_of(domain);
        stream.advertise(features);
        let session = self.session(connection, rights);
        let keeper = self.0.rings.slot(domain).map(Keeper::fresh);
        let line = RingLine::new(stream, keeper);
        self.start_serving(session, domain, line, Standing::Open)
    }

    pub(crate) fn start_serving(
        &self,
        session: Session<R>,
        domain: DomId,
        line: RingLine<impl Served, R::Slot>,
        standing: Standing,
    ) -> Result<(), IntroduceError> {
        line.keep_all(&session, standing);
        let service = match standing {
            Standing::Open => Service::Open,
            Standing::Paused(_) | Standing::Unknown => Service::Paused,
        };
        let (connection, features) = (session.connection, self.features_of(domain));
        let buffers = (session.inbox.clone(), session.outbox.clone());
        let reach = Reach::Ring(domain, line.stream.port());
        let server = self.clone();
        self.start(connection, reach, buffers, async move {
            serve_ring(session, domain, line, features, service).await;
            server.forget(connection);
        })
    }

    /// Serves a client in a task of its own.
    fn start(
        &self,
        connection: ConnectionId,
        reach: Reach,
        (inbox, outbox): (Rc<Inbox>, Rc<Outbox>),
        serving: impl Future<Output = ()> + 'static,
    ) -> Result<(), IntroduceError> {
        match self.0.tasks.spawn(serving) {
            Ok(task) => {
                let client = Client {
                    reach,
                    inbox,
                    outbox,
                    task,
                    overruns: Seldom::default(),
                    slowdowns: Seldom::default(),
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

    /// Ends the task of a domain, and with it the use of its ring. Returns it; it ends when it would run the next time.
    pub(crate) fn stop(&self, domain: DomId) -> Option<Task<()>> {
        let mut clients = self.0.clients.borrow_mut();
        let (&connection, _) = clients
            .iter()
            .find(|(_, client)| client.domain() == Some(domain))?;
        let task = clients.remove(&connection)?.task;
        task.abort();
        self.0.rings.forget_slot(domain);
        Some(task)
    }

    /// A client has broken its connection.
    fn forget(&self, connection: ConnectionId) {
        self.0.store.borrow_mut().disconnect(connection);
        let client = self.0.clients.borrow_mut().remove(&connection);
        if let Some(domain) = client.and_then(|client| client.domain()) {
            self.0.rings.forget_slot(domain);
        }
    }

    /// With what the journal has to have for the changes that were made so far.
    pub(crate) fn position(&self) -> Position {
        let position = self.0.rings.position();
        if self.0.store.borrow().has_changes() {
            position.next_frame()
        } else {
            position
        }
    }

    /// A client has to begin anew: nothing is kept for it, and nothing more is sent to it.
    pub(crate) fn pause(&self, connection: ConnectionId) {
        self.0.store.borrow_mut().clear(connection);
        if let Some(client) = self.0.clients.borrow().get(&connection) {
            client.inbox.clear();
            client.outbox.close();
        }
    }

    /// A client had to write more slowly.
    pub(crate) fn slowed(&self, connection: ConnectionId) {
        if let Some(client) = self.0.clients.borrow_mut().get_mut(&connection)
            && client.slowdowns.again().is_some()
        {
            log::warn!("{client} writes while others have transactions, and is slowed down");
        }
    }

    pub(crate) fn timers(&self) -> Timers {
        self.0.tasks.timers()
    }

    pub(crate) fn features_of(&self, domain: DomId) -> Features {
        self.0.store.borrow().features_of(domain)
    }

    /// Whether a request of the client may be handled while so many of its replies wait to be taken. Where memory is short none may wait.
    pub(crate) fn may_ask(&self, connection: ConnectionId, waiting: usize) -> bool {
        if waiting > 0 && self.0.rings.memory_left() != MemoryLeft::Enough {
            return false;
        }
        let may = self.0.store.borrow_mut().may_ask(connection, waiting);
        self.log_notices();
        may
    }

    pub(crate) fn log_notices(&self) {
        for notice in self.0.store.borrow_mut().take_notices() {
            log::warn!("{notice}");
        }
    }
}

impl Client {
    /// Whose ring it is; `None` is a local client.
    pub(crate) const fn domain(&self) -> Option<DomId> {
        match self.reach {
            Reach::Ring(domain, _) => Some(domain),
            Reach::Socket(_) => None,
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.domain() {
            Some(domain) => domain.fmt(f),
            None => f.write_str("a local client"),
        }
    }
}
