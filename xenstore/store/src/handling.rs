//! One request, from its payload to what it comes to.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Header, Operation, Path, Request, TransactionId};

use crate::caller::Caller;
use crate::connection::{Connection, ConnectionId, errno, home};
use crate::domains::Life;
use crate::effect::{Command, PendingIntroduce};
use crate::entry::FIRST_RESERVED;
use crate::host::Host;
use crate::journal::Event;
use crate::ledger::Meter;
use crate::listing::{directory_part, names};
use crate::operations::{Step, Work};
use crate::outgoing::Outgoing;
use crate::quota::{Quota, Resource};
use crate::store::Store;
use crate::transaction::Outlook;

/// What a request came to, when it was none of the ordinary replies.
pub(crate) enum Done {
    Ok,
    Reply(Vec<u8>),
    Pending(PendingIntroduce),
    Released(DomId),
    Command(Command),
}

pub(crate) fn ok() -> Done {
    Done::Ok
}

/// `DOMID_SELF` of xen.h.
const SELF: DomId = DomId::new(0x7FF0);

/// One request on its way through the store.
pub(crate) struct Handling<'a> {
    pub(crate) from: ConnectionId,
    pub(crate) caller: Caller,
    /// The caller's limits; `None` is the control domain, which has none.
    pub(crate) quota: Option<Quota>,
    pub(crate) header: Header,
    pub(crate) store: &'a mut Store,
    pub(crate) host: &'a dyn Host,
    pub(crate) events: &'a mut Vec<Outgoing>,
}

/// What only the control domain may ask for.
fn is_for_control(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Control
            | Operation::Introduce
            | Operation::Release
            | Operation::IsDomainIntroduced
            | Operation::Resume
            | Operation::SetTarget
            | Operation::SetFeature
            | Operation::GetQuota
            | Operation::SetQuota
    )
}

/// What a transaction of the control domain may take where no memory is left, in bytes.
const SMALL_TRANSACTION: usize = 16 << 10;

impl Handling<'_> {
    pub(crate) fn run(&mut self, payload: &[u8]) -> Result<Done, Errno> {
        let operation = self.header.operation().ok_or(Errno::NotSupported)?;
        if matches!(operation, Operation::WatchEvent | Operation::Error) {
            return Err(Errno::NotSupported);
        }
        if is_for_control(operation) {
            self.only_control()?;
        }
        // The transaction of a watch is ignored; any other has to be one that is open.
        let is_watch = matches!(operation, Operation::Watch | Operation::Unwatch);
        let id = self.header.transaction;
        if !is_watch
            && id != TransactionId::NONE
            && !self.connection()?.transactions.contains_key(&id)
        {
            return Err(Errno::NotFound);
        }
        let request = Request::parse(operation, payload).map_err(|_| Errno::Invalid)?;
        self.answer(request)
    }

    fn answer(&mut self, request: Request<'_>) -> Result<Done, Errno> {
        match request {
            Request::Read { path } => {
                let path = self.path(path)?;
                let value = self.on_tree(|work| work.read(path.get()?))?;
                Ok(Done::Reply(value))
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
                let path = self.path(path)?.0;
                let value = value.into();
                self.change(Step::Write { path, value })
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
                self.store.clear(self.from);
                Ok(ok())
            }
            Request::IsDomainIntroduced { domain } => {
                let known = domain == SELF || self.store.domains.contains_key(&domain);
                let flag: &[u8] = if known { b"T\0" } else { b"F\0" };
                Ok(Done::Reply(flag.to_vec()))
            }
            Request::Introduce {
                domain,
                frame,
                port,
            } => self.introduce(domain, frame, port),
            Request::Release { domain } => self.release(domain),
            Request::Resume { domain } => {
                self.not_of_control(domain)?;
                let introduced = self.store.domains.get_mut(&domain);
                introduced.ok_or(Errno::NotFound)?.life = Life::Running;
                self.store.journal.event(domain, Event::Resumed);
                Ok(ok())
            }
            Request::SetTarget { domain, target } => self.set_target(domain, target),
            Request::Control { payload } => self.control(payload),
            Request::GetFeature { domain } => self.get_feature(domain),
            Request::SetFeature { domain, features } => self.set_feature(domain, features),
            Request::GetQuotaNames => Ok(self.quota_names()),
            Request::GetQuota { domain, quota } => self.get_quota(domain, quota),
            Request::SetQuota {
                domain,
                quota,
                value,
            } => self.set_quota(domain, quota, value),
        }
    }

    pub(crate) fn connection(&mut self) -> Result<&mut Connection, Errno> {
        let connection = self.store.connections.get_mut(&self.from);
        connection.ok_or(Errno::Io)
    }

    /// Whether the caller may have `wanted` of it in all.
    pub(crate) fn admit(&mut self, resource: Resource, wanted: usize) -> Result<(), Errno> {
        let mut meter = Meter {
            domain: self.caller.domain,
            quota: self.quota.as_ref(),
            ledger: &mut self.store.ledger,
        };
        meter.admit(resource, wanted)
    }

    /// Whether there is memory left for the caller.
    pub(crate) fn room(&mut self) -> Result<(), Errno> {
        let mut meter = Meter {
            domain: self.caller.domain,
            quota: self.quota.as_ref(),
            ledger: &mut self.store.ledger,
        };
        meter.room(self.host)
    }

    /// Whether the caller may take so many more bytes for what is no node.
    pub(crate) fn admit_bytes(&mut self, more: usize) -> Result<(), Errno> {
        self.room()?;
        if self.quota.is_none() {
            return Ok(());
        }
        let nodes = self.store.world.accounts.of(self.caller.domain).bytes;
        let held = self.connection()?.held_bytes();
        self.admit(Resource::Memory, nodes + held + more)
    }

    /// Whether it is a transaction in which the control domain may work whatever memory is left: to take things away.
    fn is_small_of_control(&mut self, id: TransactionId) -> Result<bool, Errno> {
        if !self.caller.is_control() {
            return Ok(false);
        }
        let transaction = self.connection()?.transactions.get(&id);
        Ok(transaction.is_none_or(|transaction| transaction.bytes() < SMALL_TRANSACTION))
    }

    pub(crate) fn only_control(&self) -> Result<(), Errno> {
        if self.caller.is_control() {
            Ok(())
        } else {
            Err(Errno::Access)
        }
    }

    /// Whether there is such a domain, as far as anybody knows.
    pub(crate) fn exists(&self, domain: DomId) -> bool {
        domain.number() < FIRST_RESERVED
            && (self.store.domains.contains_key(&domain) || self.host.exists(domain))
    }

    /// A node's path, as the caller wrote it, made absolute.
    pub(crate) fn path(&mut self, path: &str) -> Result<Absolute, Errno> {
        let path = Path::parse(path).map_err(errno)?;
        let absolute = self.connection()?.absolute(path)?;
        self.admit(Resource::PathLength, absolute.len())?;
        Ok(Absolute(absolute))
    }

    /// Works on the tree that the request means: the main one, or its transaction's.
    pub(crate) fn on_tree<R>(
        &mut self,
        work: impl FnOnce(&mut Work<'_>) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let id = self.header.transaction;
        if id != TransactionId::NONE && !self.is_small_of_control(id)? {
            self.admit_bytes(0)?;
        }
        let store = &mut *self.store;
        let connection = store.connections.get_mut(&self.from).ok_or(Errno::Io)?;
        // The control domain's are not counted, and may be many.
        let held_bytes = self.quota.map_or(0, |_| connection.held_bytes());
        let meter = Meter {
            domain: self.caller.domain,
            quota: self.quota.as_ref(),
            ledger: &mut store.ledger,
        };
        if id == TransactionId::NONE {
            let mut changes = Vec::new();
            let result = work(&mut Work {
                caller: self.caller,
                meter,
                host: self.host,
                held_bytes,
                world: &mut store.world,
                next: &mut store.last_stamp,
                accessed: None,
                changes: &mut changes,
            });
            store.published(self.from, &changes, self.events);
            return result;
        }
        let transaction = connection.transactions.get_mut(&id);
        let transaction = transaction.ok_or(Errno::NotFound)?;
        if transaction.outlook == Outlook::Stale {
            return Err(Errno::Again);
        }
        work(&mut Work {
            caller: self.caller,
            meter,
            host: self.host,
            held_bytes,
            world: &mut transaction.world,
            next: &mut store.last_stamp,
            accessed: Some(&mut transaction.accessed),
            changes: &mut transaction.changes,
        })
    }

    pub(crate) fn change(&mut self, step: Step) -> Result<Done, Errno> {
        let id = self.header.transaction;
        if let Some(transaction) = self.connection()?.transactions.get(&id) {
            let steps = transaction.steps.len();
            self.admit(Resource::TransactionNodes, steps + 1)?;
        }
        self.on_tree(|work| work.repeat(&step))?;
        match self.connection()?.transactions.get_mut(&id) {
            Some(transaction) => transaction.keep(step),
            None => self.store.journal.step(self.caller.domain, &step),
        }
        Ok(ok())
    }
}

/// An absolute path that was parsed.
pub(crate) struct Absolute(pub(crate) String);

impl Absolute {
    pub(crate) fn get(&self) -> Result<Path<'_>, Errno> {
        Path::parse(&self.0).map_err(errno)
    }
}
