//! The store: requests in, packets out.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Access, Errno, Header, Packet, Path, Permission};

use crate::caller::{Caller, Intent, Rights};
use crate::changes::{Change, Kind};
use crate::connection::{Connection, ConnectionId, home};
use crate::departure::without;
use crate::handling::{Done, Handling};
use crate::node::Stamp;
use crate::operations::{Work, World};
use crate::outgoing::{Outgoing, event, reply};
use crate::quota::{Owned, Quota};
use crate::settings::{Features, Settings};
use crate::tree::Tree;
use crate::watches::{Scope, Watch, Watches};

/// The event of a domain's introduction (docs/misc/xenstore.txt, WATCH).
const INTRODUCE_DOMAIN: &str = "@introduceDomain";
/// The event of a domain's shutdown or end.
const RELEASE_DOMAIN: &str = "@releaseDomain";

/// A xenstore. It does no I/O: who owns it feeds it the packets of its connections, and sends what it hands out.
#[derive(Debug)]
pub struct Store {
    pub(crate) world: World,
    pub(crate) last_stamp: Stamp,
    pub(crate) settings: Settings,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) next_connection: u64,
    /// The domains that were introduced, also those that have broken their connection since.
    pub(crate) domains: BTreeMap<DomId, Introduced>,
    pub(crate) watches: Watches,
    /// Who may see each special event.
    pub(crate) special: BTreeMap<&'static str, Rc<[Permission]>>,
}

/// What is known of an introduced domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Introduced {
    pub(crate) connection: ConnectionId,
    pub(crate) life: Life,
}

/// Whether those who watch know that the domain has shut down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Life {
    Running,
    ShutDown,
}

/// What the store's owner has to do besides sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Effect {
    /// Nothing.
    None,
    /// Map a domain's ring, then call [`Store::finish_introduce`].
    Introduce(PendingIntroduce),
    /// Let go of a domain's ring: its connection is gone already.
    Release(DomId),
}

/// A request to serve another domain, not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingIntroduce {
    pub(crate) asker: ConnectionId,
    pub(crate) header: Header,
    /// The domain.
    pub domain: DomId,
    /// The frame of its ring, as the toolstack knows it.
    pub frame: u64,
    /// The domain's port.
    pub port: u32,
}

impl Store {
    /// An empty store: the root, which belongs to domain 0, and nobody else may look at.
    pub fn new(quota: Quota) -> Self {
        let nobody: Rc<[Permission]> = Rc::new([Permission {
            domain: DomId::DOM0,
            access: Access::None,
        }]);
        let mut owned = Owned::default();
        owned.add(DomId::DOM0, 1);
        Self {
            world: World {
                tree: Tree::new(nobody.clone()),
                owned,
            },
            last_stamp: Stamp::default(),
            settings: Settings::new(quota),
            connections: BTreeMap::new(),
            next_connection: 0,
            domains: BTreeMap::new(),
            watches: Watches::default(),
            special: BTreeMap::from([(INTRODUCE_DOMAIN, nobody.clone()), (RELEASE_DOMAIN, nobody)]),
        }
    }

    /// A new connection by other means than a domain's ring, such as a socket; it acts for `domain`. (libxl asks for `domid` there, so its
    /// relative paths begin where the domain's do.)
    pub fn connect(&mut self, domain: DomId, rights: Rights) -> ConnectionId {
        self.add_connection(domain, rights)
    }

    fn add_connection(&mut self, domain: DomId, rights: Rights) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let target = None;
        let caller = Caller {
            domain,
            rights,
            target,
        };
        let connection = Connection::new(caller, home(domain));
        self.connections.insert(id, connection);
        id
    }

    /// A connection is closed: its watches and transactions go. A domain whose ring it was stays introduced, since it still owns what
    /// it has made; it goes with [`release`](Self::release).
    pub fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.watches.remove_all(id);
    }

    /// A domain's ring is served from now on. Asked for a domain that is served already, it changes nothing.
    pub fn introduce(
        &mut self,
        domain: DomId,
        rights: Rights,
        out: &mut Vec<Outgoing>,
    ) -> ConnectionId {
        if let Some(known) = self.connection_of(domain) {
            return known;
        }
        let connection = self.add_connection(domain, rights);
        let life = Life::Running;
        self.domains.insert(domain, Introduced { connection, life });
        self.settings.keep(domain);
        self.fire_special(INTRODUCE_DOMAIN, Scope::All, out);
        self.fire_special(INTRODUCE_DOMAIN, Scope::One(domain), out);
        connection
    }

    /// Answers a request to introduce a domain, after its ring was mapped or could not be. Returns the domain's connection.
    pub fn finish_introduce(
        &mut self,
        pending: PendingIntroduce,
        mapped: Result<(), Errno>,
        out: &mut Vec<Outgoing>,
    ) -> Option<ConnectionId> {
        let payload = mapped.map(|()| &b"OK\0"[..]);
        out.push(reply(pending.asker, &pending.header, payload));
        mapped.ok()?;
        Some(self.introduce(pending.domain, Rights::Guest, out))
    }

    /// A domain is served no longer: it was released, or is dead. Its nodes go with all below them, and it is taken out of the
    /// permissions of all others, so that a later domain with its number inherits nothing (XSA-322). Says whether it was introduced before.
    pub fn release(&mut self, domain: DomId, out: &mut Vec<Outgoing>) -> bool {
        let Some(introduced) = self.domains.remove(&domain) else {
            return false;
        };
        self.disconnect(introduced.connection);
        self.settings.forget(domain);
        for other in self.connections.values_mut() {
            if other.caller.target == Some(domain) {
                other.caller.target = None;
            }
        }
        self.forget_owner(domain, out);
        self.fire_special(RELEASE_DOMAIN, Scope::All, out);
        self.fire_special(RELEASE_DOMAIN, Scope::One(domain), out);
        true
    }

    /// A domain has shut down, and is still there and served. Those who watch for it shall look: once, until the domain is resumed.
    pub fn shut_down(&mut self, domain: DomId, out: &mut Vec<Outgoing>) {
        let Some(introduced) = self.domains.get_mut(&domain) else {
            return;
        };
        if introduced.life == Life::Running {
            introduced.life = Life::ShutDown;
            self.fire_special(RELEASE_DOMAIN, Scope::All, out);
            self.fire_special(RELEASE_DOMAIN, Scope::One(domain), out);
        }
    }

    /// What the daemon shall tell the domain that it can do, in its ring's page.
    pub fn features_of(&self, domain: DomId) -> Features {
        self.settings.of(domain).features
    }

    /// The domain's connection, if it is served.
    pub fn connection_of(&self, domain: DomId) -> Option<ConnectionId> {
        let connection = self.domains.get(&domain)?.connection;
        let is_open = self.connections.contains_key(&connection);
        is_open.then_some(connection)
    }

    /// Makes a node and those above it, as the control domain would; nobody hears of it. A path by no rules makes nothing.
    pub fn make(&mut self, path: &str) {
        let Ok(path) = Path::parse(path) else {
            return;
        };
        let caller = Caller {
            domain: DomId::DOM0,
            rights: Rights::Control,
            target: None,
        };
        let made = Work {
            caller,
            quota: &self.settings.of(DomId::DOM0).quota,
            world: &mut self.world,
            next: &mut self.last_stamp,
            accessed: None,
            changes: &mut Vec::new(),
        }
        .mkdir(path);
        // The control domain may make every node.
        debug_assert!(made.is_ok());
    }

    /// The domains that were introduced and not released.
    pub fn introduced(&self) -> impl Iterator<Item = DomId> {
        self.domains.keys().copied()
    }

    /// How many nodes `domain` owns.
    pub fn nodes_of(&self, domain: DomId) -> usize {
        self.world.owned.of(domain)
    }

    /// Handles a packet from a connection: appends the reply, then the events that it brings about. A connection that does not exist
    /// gets no reply.
    pub fn handle(
        &mut self,
        from: ConnectionId,
        packet: Packet<'_>,
        out: &mut Vec<Outgoing>,
    ) -> Effect {
        let Some(connection) = self.connections.get(&from) else {
            return Effect::None;
        };
        let header = packet.header;
        let mut events = Vec::new();
        let mut request = Handling {
            from,
            caller: connection.caller,
            header,
            store: self,
            events: &mut events,
        };
        let effect = match request.run(packet.payload) {
            Ok(Done::Reply(payload)) => {
                out.push(reply(from, &header, Ok(&payload)));
                Effect::None
            }
            Ok(Done::Pending(pending)) => Effect::Introduce(pending),
            Ok(Done::Released(domain)) => {
                out.push(reply(from, &header, Ok(b"OK\0")));
                Effect::Release(domain)
            }
            Err(error) => {
                out.push(reply(from, &header, Err(error)));
                Effect::None
            }
        };
        out.append(&mut events);
        effect
    }

    pub(crate) fn fire(&self, changes: &[Change], out: &mut Vec<Outgoing>) {
        for change in changes {
            let Ok(path) = Path::parse(&change.path) else {
                continue;
            };
            for watch in self.watches.at_or_above(path) {
                let caller = self.caller(watch.connection);
                if caller.is_some_and(|caller| change.is_visible_to(&caller)) {
                    out.extend(watch.event(&change.path));
                }
            }
            if matches!(change.kind, Kind::Removed { .. }) {
                for (path, watch) in self.watches.below(&change.path) {
                    let caller = self.caller(watch.connection);
                    let gone = Path::parse(path).is_ok_and(|path| {
                        caller.is_some_and(|caller| change.took_along(path, &caller))
                    });
                    if gone {
                        out.extend(watch.event(path));
                    }
                }
            }
        }
    }

    /// Takes out what a domain that is gone owns or is allowed.
    fn forget_owner(&mut self, domain: DomId, out: &mut Vec<Outgoing>) {
        let changes = self.world.forget(domain, &mut self.last_stamp);
        self.fire(&changes, out);
        for permissions in self.special.values_mut() {
            if let Some(fewer) = without(permissions, domain) {
                *permissions = fewer;
            }
        }
    }

    fn fire_special(&self, name: &'static str, scope: Scope, out: &mut Vec<Outgoing>) {
        let Some(permissions) = self.special.get(name) else {
            return;
        };
        for (path, watch) in self.watches.special(name, scope) {
            let caller = self.caller(watch.connection);
            if caller.is_some_and(|caller| caller.may(Intent::Read, permissions)) {
                out.extend(event(watch.connection, &path, &watch.token));
            }
        }
    }

    fn caller(&self, connection: ConnectionId) -> Option<Caller> {
        Some(self.connections.get(&connection)?.caller)
    }
}

impl Watch {
    pub(crate) fn event(&self, path: &str) -> Option<Outgoing> {
        event(self.connection, path.get(self.prefix..)?, &self.token)
    }
}
