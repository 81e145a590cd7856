//! The store: requests in, packets out.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Access, Errno, Header, Packet, Path, Permission};

use crate::caller::{Caller, Intent, Rights};
use crate::changes::{Change, Kind};
use crate::connection::{Connection, ConnectionId};
use crate::handling::{Done, Handling};
use crate::node::Stamp;
use crate::operations::World;
use crate::outgoing::{Outgoing, event, reply};
use crate::quota::{Owned, Quota};
use crate::tree::Tree;
use crate::watches::{Watch, Watches};

/// The event of a domain's introduction (docs/misc/xenstore.txt, WATCH).
const INTRODUCE_DOMAIN: &str = "@introduceDomain";
/// The event of a domain's shutdown or end.
const RELEASE_DOMAIN: &str = "@releaseDomain";

/// A xenstore. It does no I/O: who owns it feeds it the packets of its connections, and sends what it hands out.
#[derive(Debug)]
pub struct Store {
    pub(crate) world: World,
    pub(crate) last_stamp: Stamp,
    pub(crate) quota: Quota,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) next_connection: u64,
    /// The domains that were introduced.
    pub(crate) domains: BTreeMap<DomId, ConnectionId>,
    pub(crate) watches: Watches,
    /// Who may see each special event.
    pub(crate) special: BTreeMap<&'static str, Rc<[Permission]>>,
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
            quota,
            connections: BTreeMap::new(),
            next_connection: 0,
            domains: BTreeMap::new(),
            watches: Watches::default(),
            special: BTreeMap::from([(INTRODUCE_DOMAIN, nobody.clone()), (RELEASE_DOMAIN, nobody)]),
        }
    }

    /// A new connection by other means than a domain's ring, such as a socket.
    pub fn connect(&mut self, domain: DomId, rights: Rights) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let target = None;
        let caller = Caller {
            domain,
            rights,
            target,
        };
        self.connections.insert(id, Connection::new(caller));
        id
    }

    /// A connection is closed: its watches and transactions go. (A domain's ring goes with [`release`](Self::release).)
    pub fn disconnect(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.watches.remove_all(id);
        self.domains.retain(|_, connection| *connection != id);
    }

    /// A domain's ring is served from now on. Asked for a domain that is introduced already, it changes nothing.
    pub fn introduce(
        &mut self,
        domain: DomId,
        rights: Rights,
        out: &mut Vec<Outgoing>,
    ) -> ConnectionId {
        if let Some(&known) = self.domains.get(&domain) {
            return known;
        }
        let id = self.connect(domain, rights);
        self.domains.insert(domain, id);
        self.fire_special(INTRODUCE_DOMAIN, out);
        id
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

    /// A domain is served no longer: it was released, or is dead. Says whether it was served before.
    pub fn release(&mut self, domain: DomId, out: &mut Vec<Outgoing>) -> bool {
        let Some(connection) = self.domains.remove(&domain) else {
            return false;
        };
        self.disconnect(connection);
        for other in self.connections.values_mut() {
            if other.caller.target == Some(domain) {
                other.caller.target = None;
            }
        }
        self.fire_special(RELEASE_DOMAIN, out);
        true
    }

    /// A domain has shut down or died; those who watch for it shall look. It is still served.
    pub fn domain_changed(&mut self, out: &mut Vec<Outgoing>) {
        self.fire_special(RELEASE_DOMAIN, out);
    }

    /// The domain's connection, if it was introduced.
    pub fn connection_of(&self, domain: DomId) -> Option<ConnectionId> {
        self.domains.get(&domain).copied()
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

    fn fire_special(&self, name: &'static str, out: &mut Vec<Outgoing>) {
        let Some(permissions) = self.special.get(name) else {
            return;
        };
        let Ok(path) = Path::parse_watch(name) else {
            return;
        };
        for watch in self.watches.at_or_above(path) {
            let caller = self.caller(watch.connection);
            if caller.is_some_and(|caller| caller.may(Intent::Read, permissions)) {
                out.extend(event(watch.connection, name, &watch.token));
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
