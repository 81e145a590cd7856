//! The store: requests in, packets out.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Path, TransactionId};

use crate::caller::{Caller, Rights};
use crate::connection::{Connection, ConnectionId, Watched, home};
use crate::departure::Orphans;
use crate::domains::Introduced;
use crate::entry::{Entries, Entry};
use crate::events::{INTRODUCE_DOMAIN, RELEASE_DOMAIN};
use crate::journal::{Event, Journal};
use crate::ledger::{Ledger, Meter, Notice};
use crate::lists::Lists;
use crate::node::Stamp;
use crate::operations::Work;
use crate::quota::Quota;
use crate::requests::Contention;
use crate::settings::{Features, Settings, Trace};
use crate::watches::Watches;
use crate::world::World;

/// A xenstore. It does no I/O: who owns it feeds it the packets of its connections, and sends what it hands out.
#[derive(Debug)]
pub struct Store {
    pub(crate) world: World,
    pub(crate) lists: Lists,
    pub(crate) last_stamp: Stamp,
    pub(crate) settings: Settings,
    pub(crate) ledger: Ledger,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) next_connection: u64,
    /// The domains that were introduced, also those that have broken their connection since.
    pub(crate) domains: BTreeMap<DomId, Introduced>,
    /// Domains that permissions name, as far as they are there.
    pub(crate) named: BTreeSet<DomId>,
    pub(crate) watches: Watches,
    /// Who may see each special event.
    pub(crate) special: BTreeMap<&'static str, Entries>,
    /// The transactions that have a snapshot, oldest first.
    pub(crate) open: BTreeSet<(u64, ConnectionId, TransactionId)>,
    pub(crate) contention: Contention,
    /// What is to outlast a crash.
    pub(crate) journal: Journal,
}

impl Store {
    /// An empty store: the root, which belongs to domain 0, and nobody else may look at.
    pub fn new(quota: Quota) -> Self {
        let nobody: Entries = vec![Entry::private(DomId::DOM0)].into();
        Self {
            world: World::new(),
            lists: Lists::default(),
            last_stamp: Stamp::default(),
            settings: Settings::new(quota),
            ledger: Ledger::default(),
            connections: BTreeMap::new(),
            next_connection: 0,
            domains: BTreeMap::new(),
            named: BTreeSet::new(),
            watches: Watches::default(),
            special: BTreeMap::from([(INTRODUCE_DOMAIN, nobody.clone()), (RELEASE_DOMAIN, nobody)]),
            open: BTreeSet::new(),
            contention: Contention::None,
            journal: Journal::default(),
        }
    }

    /// A new connection by other means than a domain's ring, such as a socket; it acts for `domain`. (libxl asks for `domid` there, so its
    /// relative paths begin where the domain's do.)
    pub fn connect(&mut self, domain: DomId, rights: Rights) -> ConnectionId {
        self.add_connection(domain, rights)
    }

    pub(crate) fn add_connection(&mut self, domain: DomId, rights: Rights) -> ConnectionId {
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
        self.note_event(id, Event::Disconnected);
        self.take_away(id);
        self.connections.remove(&id);
    }

    /// What the daemon shall tell the domain that it can do, in its ring's page.
    pub fn features_of(&self, domain: DomId) -> Features {
        self.settings.of(domain).features
    }

    /// Makes a node and those above it, as the control domain would; nobody hears of it. A path by no rules makes nothing.
    pub fn make(&mut self, path: &str) {
        let Ok(path) = Path::parse(path) else {
            return;
        };
        let made = self.quietly(Caller::CONTROL, |work| work.mkdir(path));
        // The control domain may make every node.
        debug_assert!(made.is_ok());
    }

    /// Works on the main tree; no quota counts, and nobody hears of it.
    pub(crate) fn quietly<R>(
        &mut self,
        caller: Caller,
        work: impl FnOnce(&mut Work<'_>) -> R,
    ) -> R {
        work(&mut Work {
            caller,
            meter: Meter {
                domain: caller.domain,
                quota: None,
                ledger: &mut self.ledger,
            },
            host: &|_| true,
            held_bytes: 0,
            world: &mut self.world,
            next: &mut self.last_stamp,
            accessed: None,
            changes: &mut Vec::new(),
        })
    }

    /// What a connection is allowed.
    pub fn rights_of(&self, id: ConnectionId) -> Rights {
        let connection = self.connections.get(&id);
        connection.map_or(Rights::Guest, |connection| connection.caller.rights)
    }

    /// How many nodes `domain` owns.
    pub fn nodes_of(&self, domain: DomId) -> usize {
        self.world.accounts.of(domain).nodes
    }

    /// What the log should have, since last asked.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.ledger.take_notices()
    }

    /// Whether each request is to be logged.
    pub fn trace(&self) -> Trace {
        self.settings.trace
    }

    /// Sets whether each request is to be logged.
    pub fn set_trace(&mut self, trace: Trace) {
        self.settings.trace = trace;
    }

    /// Sets what becomes of the nodes of domains that will be gone.
    pub fn set_orphans(&mut self, orphans: Orphans) {
        self.settings.orphans = orphans;
    }

    /// Takes away a connection's watches and transactions; it goes on as if it was new.
    pub fn clear(&mut self, id: ConnectionId) {
        self.note_event(id, Event::Cleared);
        self.take_away(id);
    }

    fn take_away(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let watches: Vec<Watched> = connection.watches.keys().cloned().collect();
        for watched in &watches {
            self.watches.remove(&watched.0, id, &watched.1);
            connection.remove_watch(watched);
        }
        for (transaction, ended) in core::mem::take(&mut connection.transactions) {
            self.open.remove(&(ended.began, id, transaction));
        }
    }
}
