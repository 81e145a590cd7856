//! The store as a stream.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use morgana_xenstore_migration::{
    Connection as Stated, DomainData, Global, Node as StatedNode, OwnConnection, OwnDomain,
    OwnGlobal, OwnTransaction, PermissionBytes, Permissions, Place, QuotaBytes, Record, Scope,
    TooLong, Transaction as StatedTransaction, Watch, Writer,
};

use super::flags::{
    ConnectionFlags, DomainFlags, GlobalFlags, MKDIR, PERMIT, REMOVE, TransactionFlags, WRITE,
};
use super::nodes::{for_each, stated};
use super::{HandOver, Link, Reach, Service};
use crate::connection::{Connection, ConnectionId};
use crate::domains::Life;
use crate::operations::Step;
use crate::quota::{Quota, Resource};
use crate::settings::Trace;
use crate::store::Store;
use crate::transaction::{Outlook, Transaction};

/// The greatest depth of a watch that a record can tell; deeper than any path.
pub(crate) const DEEPEST: u32 = 0xFFFE;

impl Store {
    /// All that the store knows, as a stream in the format of docs/designs/xenstore-migration.md. A connection that has no link is left out, with
    /// its watches and transactions.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if something does not fit the format, such as more than 65,535 bytes of requests that wait.
    pub fn export(
        &self,
        left: &HandOver,
        links: &BTreeMap<ConnectionId, Link>,
    ) -> Result<Vec<u8>, TooLong> {
        let mut export = Export {
            store: self,
            writer: Writer::new(),
            permissions: PermissionBytes::default(),
            quotas: QuotaBytes::default(),
        };
        export.globals(left)?;
        let known = (1..).zip(links).filter_map(|(id, (&name, link))| {
            let connection = self.connections.get(&name)?;
            Some((id, name, connection, link))
        });
        for (id, name, connection, link) in known.clone() {
            export.connection(id, connection, link)?;
            export.watches(id, name, connection)?;
        }
        export.nodes()?;
        export.domains()?;
        for (id, _, connection, _) in known {
            for (&transaction, state) in &connection.transactions {
                let of = StatedTransaction {
                    connection: id,
                    id: transaction.0,
                };
                export.transaction(of, state)?;
            }
        }
        Ok(export.writer.finish())
    }
}

struct Export<'a> {
    store: &'a Store,
    writer: Writer,
    permissions: PermissionBytes,
    quotas: QuotaBytes,
}

impl Export<'_> {
    fn globals(&mut self, left: &HandOver) -> Result<(), TooLong> {
        let mut flags = GlobalFlags::empty();
        flags.set(GlobalFlags::TRACE, self.store.settings.trace == Trace::On);
        self.writer.push(&Record::OwnGlobal(OwnGlobal {
            changes: self.store.last_stamp.0,
            flags: flags.bits(),
            pid_file: left.pid_file,
        }))?;
        self.writer.push(&Record::Global(Global {
            socket: left.socket,
            events: left.events,
        }))?;
        let quotas = self.quotas.list(limits(self.store.settings.quota(None)))?;
        self.writer.push(&Record::Quotas(quotas))
    }

    fn connection(&mut self, id: u32, connection: &Connection, link: &Link) -> Result<(), TooLong> {
        let place = match link.reach {
            Reach::Ring(domain, port) => Place::Ring {
                domain,
                target: connection.caller.target,
                port,
            },
            Reach::Socket(descriptor) => Place::Socket(descriptor),
        };
        self.writer.push(&Record::Connection(Stated {
            id,
            place,
            input: &link.input,
            output: &link.output,
            partial: link.partial,
            unique: None,
        }))?;
        let mut flags = ConnectionFlags::empty();
        flags.set(ConnectionFlags::PAUSED, link.service == Service::Paused);
        self.writer.push(&Record::OwnConnection(OwnConnection {
            connection: id,
            last_transaction: connection.last_transaction,
            flags: flags.bits(),
        }))
    }

    fn watches(
        &mut self,
        id: u32,
        name: ConnectionId,
        connection: &Connection,
    ) -> Result<(), TooLong> {
        for (path, token, depth) in self.store.watches_of(name, connection) {
            self.writer.push(&Record::Watch(Watch {
                connection: id,
                path,
                token,
                depth: depth.map(|depth| depth.min(DEEPEST) as u16),
            }))?;
        }
        Ok(())
    }

    fn nodes(&mut self) -> Result<(), TooLong> {
        let (writer, bytes) = (&mut self.writer, &mut self.permissions);
        for_each(self.store.world.tree.root(), |path, node| {
            writer.push(&main(path, node.value(), stated(&node.permissions, bytes)))
        })?;
        for (name, list) in &self.store.special {
            writer.push(&main(name, &[], stated(list, bytes)))?;
        }
        Ok(())
    }

    fn domains(&mut self) -> Result<(), TooLong> {
        for (domain, setting) in self.store.settings.set() {
            let quotas = self.quotas.list(limits(setting.quota))?;
            self.writer.push(&Record::Domain(DomainData {
                domain,
                features: Some(setting.features.bits()),
                quotas,
            }))?;
        }
        for (&domain, introduced) in &self.store.domains {
            let mut flags = DomainFlags::empty();
            flags.set(DomainFlags::SHUT_DOWN, introduced.life == Life::ShutDown);
            self.writer.push(&Record::OwnDomain(OwnDomain {
                domain,
                flags: flags.bits(),
                port: introduced.port,
            }))?;
        }
        Ok(())
    }

    fn transaction(
        &mut self,
        of: StatedTransaction,
        transaction: &Transaction,
    ) -> Result<(), TooLong> {
        self.writer.push(&Record::Transaction(of))?;
        let flags = match transaction.outlook {
            Outlook::Stale => TransactionFlags::LOST | TransactionFlags::STALE,
            Outlook::Lost => TransactionFlags::LOST,
            // It would have to see what was before, so it fails even if others take back what they did. Any other one may as well have begun
            // now, and so it does in the next program.
            Outlook::Open if transaction.conflicts(&self.store.world) => TransactionFlags::LOST,
            Outlook::Open => TransactionFlags::empty(),
        };
        self.writer.push(&Record::OwnTransaction(OwnTransaction {
            transaction: of,
            flags: flags.bits(),
        }))?;
        let scope = Scope::Transaction(of);
        for (path, aspects) in transaction.accessed.iter() {
            self.writer.push(&Record::Note(StatedNode {
                scope,
                path,
                value: &[],
                access: aspects.bits().into(),
                permissions: Permissions::default(),
            }))?;
        }
        for step in &transaction.steps {
            let stated = stated_step(step, scope, &mut self.permissions);
            self.writer.push(&Record::Step(stated))?;
        }
        Ok(())
    }
}

/// A change, as a record has it.
pub(crate) fn stated_step<'a>(
    step: &'a Step,
    scope: Scope,
    permissions: &'a mut PermissionBytes,
) -> StatedNode<'a> {
    let (access, path, value, list) = match step {
        Step::Write { path, value } => (WRITE, path, &value[..], &[][..]),
        Step::Mkdir { path } => (MKDIR, path, &[][..], &[][..]),
        Step::Remove { path } => (REMOVE, path, &[][..], &[][..]),
        Step::SetPermissions { path, list } => (PERMIT, path, &[][..], &list[..]),
    };
    StatedNode {
        scope,
        path,
        value,
        access,
        permissions: stated(list, permissions),
    }
}

/// A node of the main tree.
fn main<'a>(path: &'a str, value: &'a [u8], permissions: Permissions<'a>) -> Record<'a> {
    Record::Node(StatedNode {
        scope: Scope::Main,
        path,
        value,
        access: 0,
        permissions,
    })
}

/// Limits, as records have them.
pub(crate) fn limits(quota: Quota) -> impl Iterator<Item = (&'static str, u32)> {
    Resource::ALL.into_iter().map(move |resource| {
        let limit = quota.limit(resource);
        // Options and requests set no greater ones.
        (resource.name(), u32::try_from(limit).unwrap_or(u32::MAX))
    })
}
