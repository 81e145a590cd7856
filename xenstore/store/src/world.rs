//! A tree and its books.

use alloc::vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::Path;

use crate::accounts::{Account, Accounts};
use crate::changes::{Change, Kind};
use crate::entry::{Entries, Entry};
use crate::node::Stamp;
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

    /// Changes one node by `change`, and corrects the books. Nothing happens if there is no such node.
    fn alter(&mut self, path: Path<'_>, change: impl FnOnce(&mut Tree)) {
        let Some(node) = self.tree.node(path) else {
            return;
        };
        let (owner, before) = (node.owner(), Account::of_node(node));
        self.replaced += before.bytes as u64 + CHANGE;
        change(&mut self.tree);
        if let Some(owner) = owner {
            self.accounts.subtract(owner, before);
        }
        if let Some(node) = self.tree.node(path)
            && let Some(owner) = node.owner()
        {
            self.accounts.add(owner, Account::of_node(node));
        }
    }

    pub(crate) fn set_value(&mut self, path: Path<'_>, value: &[u8]) {
        self.alter(path, |tree| {
            tree.set_value(path, value);
        });
    }

    pub(crate) fn permit(&mut self, path: Path<'_>, list: &Entries) {
        self.alter(path, |tree| {
            tree.set_permissions(path, list.clone());
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
