//! A store from a stream: one of ours, or one of Xen's C daemon.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use morgana_hal::{DomId, Port};
use morgana_xenstore_migration::{
    Connection as Stated, DomainData, OwnConnection, OwnDomain, OwnGlobal, Place, Quotas, Reader,
    Record, Scope, Watch as StatedWatch,
};
use morgana_xenstore_wire::{Path, TransactionId};

use super::flags::{ConnectionFlags, DomainFlags, GlobalFlags};
use super::pending::{Deed, Pending};
use super::{HandOver, Link, LoadError, Loaded, Misfit, Reach, Service};
use crate::caller::Rights;
use crate::connection::{Connection, ConnectionId, Watched};
use crate::domains::{Introduced, Life};
use crate::quota::{Quota, Resource};
use crate::settings::{Features, Trace};
use crate::store::Store;
use crate::watches::Watch;

impl Store {
    /// A store as a stream tells of it. `quota` is for domains that come, unless the stream knows better.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub fn load(stream: &[u8], quota: Quota) -> Result<Loaded, LoadError> {
        Self::load_ahead(stream, quota, 0)
    }

    /// The same, with stamps that are so far ahead.
    pub(crate) fn load_ahead(stream: &[u8], quota: Quota, ahead: u64) -> Result<Loaded, LoadError> {
        let mut reader = Reader::new(stream)?;
        let mut load = Load {
            store: Self::new(quota),
            ahead,
            left: HandOver::default(),
            links: Vec::new(),
            ids: BTreeMap::new(),
            transactions: BTreeMap::new(),
        };
        while let Some(record) = reader.next()? {
            if let Err(misfit) = load.record(&record) {
                let (record, offset) = reader.last();
                return Err(LoadError {
                    record,
                    offset,
                    misfit,
                });
            }
        }
        Ok(load.finish())
    }
}

/// More changes than any daemon has counted: of a stream that says more, it is not believed, as the count has to go on.
const MOST_CHANGES: u64 = 1 << 62;

struct Load<'a> {
    store: Store,
    ahead: u64,
    left: HandOver,
    links: Vec<(ConnectionId, Link)>,
    /// By the ids that the stream has for connections.
    ids: BTreeMap<u32, ConnectionId>,
    /// Transactions begin when the tree is whole.
    transactions: BTreeMap<(u32, u32), Pending<'a>>,
}

impl<'a> Load<'a> {
    fn record(&mut self, record: &Record<'a>) -> Result<(), Misfit> {
        match record {
            Record::Global(global) => {
                self.left.socket = global.socket;
                self.left.events = global.events;
            }
            Record::OwnGlobal(own) => self.own_global(own),
            Record::Quotas(quotas) => {
                let mut quota = self.store.settings.quota(None);
                set_limits(&mut quota, *quotas);
                self.store.settings.set_quota(None, quota);
            }
            Record::Connection(connection) => self.connection(connection)?,
            Record::OwnConnection(own) => self.own_connection(own)?,
            Record::Watch(watch) => self.watch(watch)?,
            Record::Domain(domain) => self.store.load_domain(domain),
            Record::OwnDomain(own) => self.own_domain(own),
            Record::Transaction(of) => {
                let id = self.id(of.connection)?;
                let pending = Pending::new(id, TransactionId(of.id));
                let before = self.transactions.insert((of.connection, of.id), pending);
                if before.is_some() || of.id == 0 {
                    return Err(Misfit::Twice);
                }
            }
            Record::OwnTransaction(own) => {
                let of = own.transaction;
                let pending = self.transactions.get_mut(&(of.connection, of.id));
                pending.ok_or(Misfit::Transaction(of.id))?.flags(own.flags);
            }
            Record::Node(node) => match node.scope {
                Scope::Main => self.store.load_node(node)?,
                Scope::Transaction(_) => self.deed(Deed::Node(*node), node.scope)?,
            },
            Record::Note(node) => self.deed(Deed::Note(*node), node.scope)?,
            Record::Step(node) => self.deed(Deed::Step(*node), node.scope)?,
            // The last two are for journals.
            Record::Unknown(_) | Record::Unwatch(_) | Record::Event(_) => {}
        }
        Ok(())
    }

    fn id(&self, stated: u32) -> Result<ConnectionId, Misfit> {
        let id = self.ids.get(&stated).copied();
        id.ok_or(Misfit::Connection(stated))
    }

    fn own_global(&mut self, own: &OwnGlobal) {
        self.left.pid_file = own.pid_file;
        // Whoever is in the middle of a long list finds that it has changed.
        let changes = own.changes.min(MOST_CHANGES) + self.ahead;
        self.store.last_stamp.0 = changes.max(self.store.last_stamp.0);
        if own.flags & GlobalFlags::TRACE.bits() != 0 {
            self.store.settings.trace = Trace::On;
        }
    }

    fn connection(&mut self, stated: &Stated<'_>) -> Result<(), Misfit> {
        let (domain, target, reach) = match stated.place {
            Place::Ring {
                domain,
                target,
                port,
            } => (domain, target, Reach::Ring(domain, port)),
            Place::Socket(descriptor) => (DomId::DOM0, None, Reach::Socket(descriptor)),
        };
        let rights = if domain == DomId::DOM0 {
            Rights::Control
        } else {
            Rights::Guest
        };
        let is_ring = matches!(reach, Reach::Ring(..));
        if self.ids.contains_key(&stated.id) || is_ring && self.store.domains.contains_key(&domain)
        {
            return Err(Misfit::Twice);
        }
        let id = self.store.add_connection(domain, rights);
        self.ids.insert(stated.id, id);
        if let Some(connection) = self.store.connections.get_mut(&id) {
            connection.caller.target = target;
        }
        if is_ring {
            let life = Life::Running;
            let introduced = Introduced {
                connection: id,
                life,
                // One that another record tells of, or nobody.
                port: Port::new(0),
            };
            self.store.domains.insert(domain, introduced);
            self.store.settings.keep(domain);
        }
        let link = Link {
            reach,
            service: Service::Open,
            input: stated.input.to_vec(),
            output: stated.output.to_vec(),
            partial: stated.partial,
        };
        self.links.push((id, link));
        Ok(())
    }

    fn own_connection(&mut self, own: &OwnConnection) -> Result<(), Misfit> {
        let id = self.id(own.connection)?;
        if let Some(connection) = self.store.connections.get_mut(&id) {
            connection.last_transaction = own.last_transaction;
        }
        let link = self.links.iter_mut().rfind(|(other, _)| *other == id);
        if let Some((_, link)) = link
            && own.flags & ConnectionFlags::PAUSED.bits() != 0
        {
            link.service = Service::Paused;
        }
        Ok(())
    }

    fn watch(&mut self, stated: &StatedWatch<'_>) -> Result<(), Misfit> {
        let id = self.id(stated.connection)?;
        let depth = stated.depth.map(u32::from);
        self.store.load_watch(id, stated.path, stated.token, depth)
    }

    /// The domain was introduced; if no connection came, it has broken it.
    fn own_domain(&mut self, own: &OwnDomain) {
        let life = if own.flags & DomainFlags::SHUT_DOWN.bits() != 0 {
            Life::ShutDown
        } else {
            Life::Running
        };
        let store = &mut self.store;
        let introduced = store.domains.entry(own.domain).or_insert_with(|| {
            // An id that no connection has.
            let connection = ConnectionId(store.next_connection);
            store.next_connection += 1;
            let port = own.port;
            Introduced {
                connection,
                life,
                port,
            }
        });
        introduced.life = life;
        introduced.port = own.port;
    }

    fn deed(&mut self, deed: Deed<'a>, scope: Scope) -> Result<(), Misfit> {
        let Scope::Transaction(of) = scope else {
            return Err(Misfit::Transaction(0));
        };
        let pending = self.transactions.get_mut(&(of.connection, of.id));
        pending.ok_or(Misfit::Transaction(of.id))?.add(deed)
    }

    fn finish(mut self) -> Loaded {
        for pending in self.transactions.into_values() {
            pending.begin(&mut self.store);
        }
        Loaded {
            store: self.store,
            left: self.left,
            links: self.links,
        }
    }
}

/// Takes the limits that are known here; others are those of other daemons.
pub(crate) fn set_limits(quota: &mut Quota, stated: Quotas<'_>) {
    for (name, limit) in stated.iter() {
        if let Some(resource) = Resource::from_name(name) {
            *quota.limit_mut(resource) = limit as usize;
        }
    }
}

impl Store {
    /// The watches of a connection: the paths as the client wrote them, the tokens, and the depths.
    pub(super) fn watches_of<'a>(
        &'a self,
        id: ConnectionId,
        connection: &'a Connection,
    ) -> impl Iterator<Item = (&'a str, &'a str, Option<u32>)> {
        connection
            .watches
            .iter()
            .map(move |((path, token), &prefix)| {
                let written = path.get(prefix..).unwrap_or_default();
                (written, &**token, self.watches.depth(path, id, token))
            })
    }

    /// Takes up what is set for a domain.
    pub(crate) fn load_domain(&mut self, stated: &DomainData<'_>) {
        let mut quota = self.settings.quota(Some(stated.domain));
        set_limits(&mut quota, stated.quotas);
        self.settings.set_quota(Some(stated.domain), quota);
        if let Some(features) = stated.features {
            let features = Features::from_bits_truncate(features);
            self.settings.set_features(stated.domain, features);
        }
    }

    /// Takes a watch away again.
    pub(crate) fn unload_watch(
        &mut self,
        id: ConnectionId,
        path: &str,
        token: &str,
    ) -> Result<(), Misfit> {
        let connection = self.connections.get_mut(&id).ok_or(Misfit::Connection(0))?;
        let path = Path::parse_watch(path).map_err(|_| Misfit::Path)?;
        let absolute = connection.absolute(path).map_err(|_| Misfit::Path)?;
        if !self.watches.remove(&absolute, id, token) {
            return Err(Misfit::Step);
        }
        connection.remove_watch(&(absolute.into(), token.into()));
        Ok(())
    }

    pub(crate) fn load_watch(
        &mut self,
        id: ConnectionId,
        path: &str,
        token: &str,
        depth: Option<u32>,
    ) -> Result<(), Misfit> {
        let connection = self.connections.get_mut(&id).ok_or(Misfit::Connection(0))?;
        let path = Path::parse_watch(path).map_err(|_| Misfit::Path)?;
        let absolute = connection.absolute(path).map_err(|_| Misfit::Path)?;
        let prefix = absolute.len() - path.as_str().len();
        let watched: Watched = (absolute.into(), token.into());
        let watch = Watch {
            connection: id,
            token: watched.1.clone(),
            prefix,
            depth,
        };
        if !self.watches.add(&watched.0, watch) {
            return Err(Misfit::Twice);
        }
        connection.add_watch(watched, prefix);
        Ok(())
    }
}
