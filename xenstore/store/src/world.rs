//! A tree and its books.

use alloc::vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::Path;

use crate::accounts::{Account, Accounts};
use crate::changes::{Change, Kind};
use crate::entry::{Entries, Entry};
use crate::node::{Node, Stamp, Traces};
use crate::tree::Tree;

/// What a change replaces besides the node, in bytes: those above it, and lists of children.
const CHANGE: u64 = 512;

/// A tree and its books; a clone is a snapshot, and costs two references.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) tree: Tree,
    pub(crate) accounts: Accounts,
    /// About how many bytes were replaced or removed since the beginning: that is what snapshots can keep from being freed.
    pub(crate) replaced: u64,
}

impl World {
    /// The root alone, which belongs to domain 0.
    pub(crate) fn new() -> Self {
        let tree = Tree::new(vec![Entry::private(DomId::DOM0)].into());
        let mut accounts = Accounts::default();
        accounts.add(DomId::DOM0, Account::of_node(tree.root()));
        Self {
            tree,
            accounts,
            replaced: 0,
        }
    }

    /// Changes one node by `change`, and corrects the books. `traces` is what its permissions will name. Nothing happens if there is no such node.
    fn alter(&mut self, path: Path<'_>, traces: Traces, change: impl FnOnce(&mut Node)) {
        let Some(node) = self.tree.node_mut(path, traces) else {
            return;
        };
        let before = (node.owner(), Account::of_node(node));
        change(node);
        let now = (node.owner(), Account::of_node(node));
        self.replaced += before.1.bytes as u64 + CHANGE;
        if before == now {
            return;
        }
        if let (Some(owner), less) = before {
            self.accounts.subtract(owner, less);
        }
        if let (Some(owner), more) = now {
            self.accounts.add(owner, more);
        }
    }

    pub(crate) fn set_value(&mut self, path: Path<'_>, value: &[u8]) {
        self.alter(path, Traces::default(), |node| node.set_value(value));
    }

    pub(crate) fn permit(&mut self, path: Path<'_>, list: &Entries) {
        self.alter(path, Traces::of(list), |node| {
            node.permissions = list.clone();
        });
    }

    /// Makes a node that is missing, and those between it and `above`.
    pub(crate) fn insert(
        &mut self,
        above: Path<'_>,
        path: Path<'_>,
        value: &[u8],
        permissions: &Entries,
        stamp: Stamp,
    ) {
        if let Some(owner) = permissions.first() {
            let made = Account::of_missing(above, path, value, permissions);
            self.accounts.add(owner.domain, made);
            self.replaced += CHANGE;
        }
        self.tree.insert(above, path, value, permissions, stamp);
    }

    /// Takes out a node with all below.
    pub(crate) fn take_out(&mut self, path: Path<'_>, stamp: Stamp) -> Option<Change> {
        let node = self.tree.remove(path, stamp)?;
        node.for_each(|node| {
            if let Some(owner) = node.owner() {
                let account = Account::of_node(node);
                self.accounts.subtract(owner, account);
                self.replaced += account.bytes as u64;
            }
        });
        let above = path.parent().and_then(|above| self.tree.node(above));
        let parent = above.unwrap_or(&node).permissions.clone();
        Some(Change {
            path: path.as_str().into(),
            kind: Kind::Removed { node },
            parent,
        })
    }
}
