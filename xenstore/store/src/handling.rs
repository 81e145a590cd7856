//! One request, from its payload to what it comes to.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{
    Commit, Errno, Fields, Header, Operation, PAYLOAD_MAX, Path, Permission, Request, TransactionId,
};

use crate::caller::Caller;
use crate::connection::{Connection, ConnectionId, errno, home};
use crate::node::Node;
use crate::operations::{Step, Work};
use crate::outgoing::Outgoing;
use crate::quota::{Quota, exceeds};
use crate::settings::Features;
use crate::store::{Life, PendingIntroduce, Store};
use crate::transaction::Transaction;
use crate::watches::Watch;

/// What a request came to, when it was none of the ordinary replies.
pub(crate) enum Done {
    Reply(Vec<u8>),
    Pending(PendingIntroduce),
    Released(DomId),
}

pub(crate) fn ok() -> Done {
    Done::Reply(b"OK\0".to_vec())
}

/// One request on its way through the store.
pub(crate) struct Handling<'a> {
    pub(crate) from: ConnectionId,
    pub(crate) caller: Caller,
    pub(crate) header: Header,
    pub(crate) store: &'a mut Store,
    pub(crate) events: &'a mut Vec<Outgoing>,
}

impl Handling<'_> {
    pub(crate) fn run(&mut self, payload: &[u8]) -> Result<Done, Errno> {
        let operation = self.header.operation().ok_or(Errno::NotSupported)?;
        if matches!(operation, Operation::WatchEvent | Operation::Error) {
            return Err(Errno::NotSupported);
        }
        let request = Request::parse(operation, payload).map_err(|_| Errno::Invalid)?;
        match request {
            Request::Read { path } => {
                let path = self.path(path)?;
                let value = self.on_tree(|work| work.read(path.get()?))?;
                Ok(Done::Reply(value.to_vec()))
            }
            Request::Directory { path } => {
                let path = self.path(path)?;
                let node = self.on_tree(|work| work.directory(path.get()?))?;
                Ok(Done::Reply(names(&node)))
            }
            Request::DirectoryPart { path, offset } => {
                let path = self.path(path)?;
                let node = self.on_tree(|work| work.directory(path.get()?))?;
                directory_part(&node, offset as usize)
            }
            Request::Write { path, value } => {
                let path = self.path(path)?;
                let value: Rc<[u8]> = value.into();
                self.change(Step::Write {
                    path: path.0,
                    value,
                })
            }
            Request::Mkdir { path } => {
                let path = self.path(path)?.0;
                self.change(Step::Mkdir { path })
            }
            Request::Rm { path } => {
                let path = self.path(path)?.0;
                self.change(Step::Remove { path })
            }
            Request::GetPerms { path } => self.permissions(path),
            Request::SetPerms { path, permissions } => self.set_permissions(path, permissions),
            Request::Watch { path, token, depth } => self.watch(path, token, depth),
            Request::Unwatch { path, token } => self.unwatch(path, token),
            Request::TransactionStart => self.start(),
            Request::TransactionEnd { commit } => self.end(commit),
            Request::GetDomainPath { domain } => {
                Ok(Done::Reply((home(domain) + "\0").into_bytes()))
            }
            Request::ResetWatches => {
                self.store.watches.remove_all(self.from);
                let connection = self.connection()?;
                connection.watches = 0;
                connection.transactions.clear();
                Ok(ok())
            }
            Request::IsDomainIntroduced { domain } => {
                self.only_control()?;
                let known = self.store.domains.contains_key(&domain);
                let flag: &[u8] = if known { b"T\0" } else { b"F\0" };
                Ok(Done::Reply(flag.to_vec()))
            }
            Request::Introduce {
                domain,
                frame,
                port,
            } => self.introduce(domain, frame, port),
            Request::Release { domain } => {
                self.only_control()?;
                self.not_of_control(domain)?;
                if !self.store.release(domain, self.events) {
                    return Err(Errno::NotFound);
                }
                Ok(Done::Released(domain))
            }
            Request::Resume { domain } => {
                self.only_control()?;
                self.not_of_control(domain)?;
                let introduced = self.store.domains.get_mut(&domain);
                introduced.ok_or(Errno::NotFound)?.life = Life::Running;
                Ok(ok())
            }
            Request::SetTarget { domain, target } => self.set_target(domain, target),
            Request::Control { payload } => self.control(payload),
            Request::GetFeature { domain } => self.get_feature(domain),
            Request::SetFeature { domain, features } => self.set_feature(domain, features),
            Request::GetQuotaNames => self.quota_names(),
            Request::GetQuota { domain, quota } => self.get_quota(domain, quota),
            Request::SetQuota {
                domain,
                quota,
                value,
            } => self.set_quota(domain, quota, value),
        }
    }

    /// What the caller may use up.
    fn quota(&self) -> Quota {
        self.store.settings.of(self.caller.domain).quota
    }

    fn connection(&mut self) -> Result<&mut Connection, Errno> {
        let connection = self.store.connections.get_mut(&self.from);
        connection.ok_or(Errno::Io)
    }

    pub(crate) fn only_control(&self) -> Result<(), Errno> {
        if self.caller.is_control() {
            Ok(())
        } else {
            Err(Errno::Access)
        }
    }

    /// The control domain comes first and stays to the end.
    fn not_of_control(&self, domain: DomId) -> Result<(), Errno> {
        let connection = self.store.connection_of(domain);
        let connection = connection.and_then(|id| self.store.connections.get(&id));
        match connection {
            Some(connection) if connection.caller.is_control() => Err(Errno::Invalid),
            _ => Ok(()),
        }
    }

    /// A node's path, as the caller wrote it, made absolute.
    fn path(&mut self, path: &str) -> Result<Absolute, Errno> {
        let path = Path::parse(path).map_err(errno)?;
        let quota = self.quota();
        let absolute = self.connection()?.absolute(path, &quota)?;
        Ok(Absolute(absolute))
    }

    /// Works on the tree that the request means: the main one, or its transaction's.
    fn on_tree<R>(
        &mut self,
        work: impl FnOnce(&mut Work<'_>) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let quota = self.quota();
        let store = &mut *self.store;
        let mut changes = Vec::new();
        let id = self.header.transaction;
        if id == TransactionId::NONE {
            let result = work(&mut Work {
                caller: self.caller,
                quota: &quota,
                world: &mut store.world,
                next: &mut store.last_stamp,
                accessed: None,
                changes: &mut changes,
            });
            store.fire(&changes, self.events);
            return result;
        }
        let connection = store.connections.get_mut(&self.from).ok_or(Errno::Io)?;
        let transaction = connection.transactions.get_mut(&id);
        let transaction = transaction.ok_or(Errno::NotFound)?;
        work(&mut Work {
            caller: self.caller,
            quota: &quota,
            world: &mut transaction.world,
            next: &mut store.last_stamp,
            accessed: Some(&mut transaction.accessed),
            changes: &mut transaction.changes,
        })
    }

    fn change(&mut self, step: Step) -> Result<Done, Errno> {
        let id = self.header.transaction;
        let limit = self.quota().transaction_nodes;
        let is_control = self.caller.is_control();
        let transaction = self.connection()?.transactions.get(&id);
        let steps = transaction.map_or(0, |transaction| transaction.steps.len());
        if !is_control && exceeds(limit, steps + 1) {
            return Err(Errno::NoSpace);
        }
        self.on_tree(|work| work.repeat(&step))?;
        if let Some(transaction) = self.connection()?.transactions.get_mut(&id) {
            transaction.steps.push(step);
        }
        Ok(ok())
    }

    fn permissions(&mut self, path: &str) -> Result<Done, Errno> {
        let list = match self.store.special.get(path) {
            Some(special) => {
                self.only_control()?;
                special.clone()
            }
            None => {
                let path = self.path(path)?;
                self.on_tree(|work| work.permissions(path.get()?))?
            }
        };
        let mut payload = String::new();
        for entry in list.iter() {
            payload += &format!("{entry}\0");
        }
        Ok(Done::Reply(payload.into_bytes()))
    }

    fn set_permissions(&mut self, path: &str, list: &[u8]) -> Result<Done, Errno> {
        let mut fields = Fields::new(list);
        let mut parsed = Vec::new();
        while !fields.is_empty() {
            parsed.push(Permission::parse(&mut fields).map_err(|_| Errno::Invalid)?);
        }
        if parsed.is_empty() {
            return Err(Errno::Invalid);
        }
        let list: Rc<[Permission]> = parsed.into();
        if let Some(special) = self.store.special.get_mut(path) {
            if !self.caller.is_control() {
                return Err(Errno::Access);
            }
            *special = list;
            return Ok(ok());
        }
        let path = self.path(path)?.0;
        self.change(Step::SetPermissions { path, list })
    }

    fn watch(&mut self, path: &str, token: &str, depth: Option<u32>) -> Result<Done, Errno> {
        let features = self.store.settings.of(self.caller.domain).features;
        if depth.is_some() && !features.contains(Features::WATCH_DEPTH) {
            return Err(Errno::Invalid);
        }
        let (absolute, prefix) = self.watch_path(path)?;
        let from = self.from;
        let quota = self.quota();
        let is_control = self.caller.is_control();
        if !is_control && exceeds(quota.watches, self.connection()?.watches + 1) {
            return Err(Errno::TooBig);
        }
        // Whatever changes below the path is at most this long, so an event always fits its packet.
        if quota.longest_path() + token.len() + 2 > PAYLOAD_MAX {
            return Err(Errno::Invalid);
        }
        let watch = Watch {
            connection: from,
            token: token.into(),
            prefix,
            depth,
        };
        // Everybody hears at once of what was there before.
        let first = watch.event(&absolute);
        if !self.store.watches.add(&absolute, watch) {
            return Err(Errno::Exists);
        }
        self.connection()?.watches += 1;
        self.events.extend(first);
        Ok(ok())
    }

    fn unwatch(&mut self, path: &str, token: &str) -> Result<Done, Errno> {
        let (absolute, _) = self.watch_path(path)?;
        if !self.store.watches.remove(&absolute, self.from, token) {
            return Err(Errno::NotFound);
        }
        self.connection()?.watches -= 1;
        Ok(ok())
    }

    /// The absolute path of a watch, and how much of it the caller did not write.
    fn watch_path(&mut self, path: &str) -> Result<(String, usize), Errno> {
        let path = Path::parse_watch(path).map_err(errno)?;
        let quota = self.quota();
        let absolute = self.connection()?.absolute(path, &quota)?;
        let prefix = absolute.len() - path.as_str().len();
        Ok((absolute, prefix))
    }

    fn start(&mut self) -> Result<Done, Errno> {
        if self.header.transaction != TransactionId::NONE {
            return Err(Errno::Busy);
        }
        let transaction = Transaction::begin(&self.store.world);
        let limit = self.quota().transactions;
        let is_control = self.caller.is_control();
        let connection = self.connection()?;
        if !is_control && exceeds(limit, connection.transactions.len() + 1) {
            return Err(Errno::NoSpace);
        }
        let id = connection.next_transaction();
        connection.transactions.insert(id, transaction);
        Ok(Done::Reply(format!("{}\0", id.0).into_bytes()))
    }

    fn end(&mut self, commit: Commit) -> Result<Done, Errno> {
        let id = self.header.transaction;
        let ended = self.connection()?.transactions.remove(&id);
        let transaction = ended.ok_or(Errno::NotFound)?;
        if commit == Commit::No {
            return Ok(ok());
        }
        let quota = self.quota();
        let store = &mut *self.store;
        let changes =
            transaction.commit(&mut store.world, self.caller, &quota, &mut store.last_stamp)?;
        store.fire(&changes, self.events);
        Ok(ok())
    }

    fn introduce(&mut self, domain: DomId, frame: u64, port: u32) -> Result<Done, Errno> {
        self.only_control()?;
        if self.store.connection_of(domain).is_some() {
            // Xen's own says the same to a second introduction of a domain that is served already.
            return Ok(ok());
        }
        Ok(Done::Pending(PendingIntroduce {
            asker: self.from,
            header: self.header,
            domain,
            frame,
            port,
        }))
    }

    fn set_target(&mut self, domain: DomId, target: DomId) -> Result<Done, Errno> {
        self.only_control()?;
        if !self.store.domains.contains_key(&target) {
            return Err(Errno::NotFound);
        }
        let introduced = self.store.domains.get(&domain).ok_or(Errno::NotFound)?;
        let connection = self.store.connections.get_mut(&introduced.connection);
        connection.ok_or(Errno::NotFound)?.caller.target = Some(target);
        Ok(ok())
    }
}

/// An absolute path that was parsed.
struct Absolute(String);

impl Absolute {
    fn get(&self) -> Result<Path<'_>, Errno> {
        Path::parse(&self.0).map_err(errno)
    }
}

fn names(node: &Node) -> Vec<u8> {
    let mut list = Vec::new();
    for name in node.names() {
        list.extend_from_slice(name.as_bytes());
        list.push(0);
    }
    list
}

/// As many whole names as fit a packet, from an offset in the whole list on; an empty name after the last, and alone behind the list.
fn directory_part(node: &Node, offset: usize) -> Result<Done, Errno> {
    let list = names(node);
    let mut payload = format!("{}\0", node.children_stamp.0).into_bytes();
    let rest = list.get(offset..).unwrap_or_default();
    let room = PAYLOAD_MAX - payload.len();
    if rest.len() < room {
        payload.extend_from_slice(rest);
        payload.push(0);
        return Ok(Done::Reply(payload));
    }
    let fits = rest[..room].iter().rposition(|&byte| byte == 0);
    let end = fits.ok_or(Errno::TooBig)? + 1;
    payload.extend_from_slice(&rest[..end]);
    Ok(Done::Reply(payload))
}
