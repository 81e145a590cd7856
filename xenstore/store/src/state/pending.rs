//! Transactions of a stream: they begin anew on the tree as it is, and look and change again as they did.
//!
//! That makes no difference to a transaction that nothing has gone against: what it has looked at is still the same. One that somebody has
//! gone against ends with `EAGAIN` whatever it finds until then.

use alloc::vec::Vec;

use morgana_xenstore_migration::Node;
use morgana_xenstore_wire::{Path, TransactionId};

use super::error::Misfit;
use super::flags::{MKDIR, PERMIT, REMOVE, TransactionFlags, WRITE};
use super::nodes::entries;
use crate::accessed::Aspects;
use crate::connection::ConnectionId;
use crate::ledger::Meter;
use crate::operations::{Step, Work};
use crate::store::Store;
use crate::transaction::{Outlook, Transaction};

/// What a transaction has done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed<'a> {
    /// It has looked at a node.
    Note(Node<'a>),
    /// It has changed a node.
    Step(Node<'a>),
    /// A node as another daemon says that the transaction has it.
    Node(Node<'a>),
}

/// A transaction that is to begin anew.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    connection: ConnectionId,
    id: TransactionId,
    flags: TransactionFlags,
    deeds: Vec<Deed<'a>>,
}

/// What a node that was read by another daemon's transaction depends on.
const READ: Aspects = Aspects::EXISTENCE
    .union(Aspects::VALUE)
    .union(Aspects::PERMISSIONS)
    .union(Aspects::CHILDREN);

impl<'a> Pending<'a> {
    pub(super) const fn new(connection: ConnectionId, id: TransactionId) -> Self {
        Self {
            connection,
            id,
            flags: TransactionFlags::empty(),
            deeds: Vec::new(),
        }
    }

    pub(super) fn flags(&mut self, flags: u32) {
        self.flags = TransactionFlags::from_bits_truncate(flags);
    }

    pub(super) fn add(&mut self, deed: Deed<'a>) -> Result<(), Misfit> {
        let (Deed::Note(node) | Deed::Step(node) | Deed::Node(node)) = deed;
        let path = Path::parse(node.path).map_err(|_| Misfit::Path)?;
        if !path.is_absolute() {
            return Err(Misfit::Path);
        }
        self.deeds.push(deed);
        Ok(())
    }

    pub(super) fn begin(self, store: &mut Store) {
        let mut transaction = Transaction::begin(&store.world);
        let mut went = true;
        for deed in &self.deeds {
            match deed {
                Deed::Note(node) => note(&mut transaction, node),
                Deed::Step(node) => match step(node) {
                    Some(step) => went &= self.take(store, &mut transaction, step),
                    None => went = false,
                },
                Deed::Node(node) => went &= self.take_node(store, &mut transaction, node),
            }
        }
        if self.flags.contains(TransactionFlags::LOST) || !went {
            transaction.outlook = Outlook::Lost;
        }
        if self.flags.contains(TransactionFlags::STALE) {
            transaction.go_stale();
        } else {
            let began = (transaction.began, self.connection, self.id);
            store.open.insert(began);
        }
        if let Some(connection) = store.connections.get_mut(&self.connection) {
            connection.last_transaction = connection.last_transaction.max(self.id.0);
            connection.transactions.insert(self.id, transaction);
        }
    }

    /// Changes what the transaction has changed. Whether it could be done.
    fn take(&self, store: &mut Store, transaction: &mut Transaction, step: Step) -> bool {
        let Some(connection) = store.connections.get(&self.connection) else {
            return false;
        };
        let caller = connection.caller;
        if let Step::SetPermissions { list, .. } = &step {
            store.name_domains(list);
        }
        let done = Work {
            caller,
            // What it was granted once it is not asked for again.
            meter: Meter {
                domain: caller.domain,
                quota: None,
                ledger: &mut store.ledger,
            },
            host: &|_| true,
            held_bytes: 0,
            world: &mut transaction.world,
            next: &mut store.last_stamp,
            accessed: Some(&mut transaction.accessed),
            changes: &mut transaction.changes,
        }
        .repeat(&step);
        transaction.keep(step);
        done.is_ok()
    }

    /// Takes up a node as another daemon tells of it. Whether the transaction can still end well.
    fn take_node(&self, store: &mut Store, transaction: &mut Transaction, node: &Node<'_>) -> bool {
        let path = node.path.into();
        if node.permissions.is_empty() {
            return self.take(store, transaction, Step::Remove { path });
        }
        if node.access & Node::READ != 0 {
            note(
                transaction,
                &Node {
                    access: READ.bits().into(),
                    ..*node
                },
            );
        }
        if node.access & Node::WRITTEN != 0 {
            let list = entries(node.permissions).into();
            let written = Step::Write {
                path: node.path.into(),
                value: node.value.into(),
            };
            return self.take(store, transaction, written)
                & self.take(store, transaction, Step::SetPermissions { path, list });
        }
        let now = Path::parse(node.path).ok();
        let now = now.and_then(|path| store.world.tree.node(path));
        now.is_some_and(|now| {
            now.value() == node.value && *now.permissions == *entries(node.permissions)
        })
    }
}

fn note(transaction: &mut Transaction, node: &Node<'_>) {
    // It was looked at when it was added.
    if let Ok(path) = Path::parse(node.path) {
        let aspects = Aspects::from_bits_truncate(node.access as u8);
        transaction.accessed.note(path, aspects);
    }
}

/// What a record says was done; `None` if it is nothing that is known here.
pub(crate) fn step(node: &Node<'_>) -> Option<Step> {
    let path = node.path.into();
    match node.access {
        WRITE => Some(Step::Write {
            path,
            value: node.value.into(),
        }),
        MKDIR => Some(Step::Mkdir { path }),
        REMOVE => Some(Step::Remove { path }),
        PERMIT if !node.permissions.is_empty() => Some(Step::SetPermissions {
            path,
            list: entries(node.permissions).into(),
        }),
        _ => None,
    }
}
