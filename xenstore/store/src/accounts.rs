//! What domains have in a tree: how many nodes, and how large they are.

use alloc::collections::BTreeMap;

use morgana_hal::DomId;
use morgana_xenstore_wire::Path;

use crate::entry::Entry;
use crate::map::{Keyed, Map};
use crate::node::Node;

/// What a node costs besides its name, its value and its permissions, in bytes: about what it takes on a 64-bit machine.
const NODE: usize = 96;

/// What one domain owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Account {
    pub(crate) nodes: usize,
    pub(crate) bytes: usize,
}

/// What each domain owns; a clone costs one reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts(Map<(DomId, Account)>);

impl Keyed for (DomId, Account) {
    type Key = DomId;
    type Bound = DomId;

    fn key(&self) -> &DomId {
        &self.0
    }

    fn bound(&self) -> DomId {
        self.0
    }
}

impl Account {
    /// The account of a single node.
    pub(crate) fn of_node(node: &Node) -> Self {
        Self::of_parts(node.name(), node.value(), &node.permissions)
    }

    pub(crate) fn of_parts(name: &str, value: &[u8], permissions: &[Entry]) -> Self {
        Self {
            nodes: 1,
            bytes: NODE + name.len() + value.len() + size_of_val(permissions),
        }
    }

    /// The account of the nodes at and above `path` that would be made below `above`.
    pub(crate) fn of_missing(
        above: Path<'_>,
        path: Path<'_>,
        value: &[u8],
        permissions: &[Entry],
    ) -> Self {
        let mut all = Self::default();
        for name in path.parts().skip(above.parts().count()) {
            let one = Self::of_parts(name, &[], permissions);
            all.nodes += one.nodes;
            all.bytes += one.bytes;
        }
        all.bytes += value.len();
        all
    }
}

impl Accounts {
    pub(crate) fn of(&self, domain: DomId) -> Account {
        self.0.get(&domain).map(|entry| entry.1).unwrap_or_default()
    }

    pub(crate) fn add(&mut self, domain: DomId, more: Account) {
        let mut account = self.of(domain);
        account.nodes += more.nodes;
        account.bytes += more.bytes;
        self.0.insert((domain, account));
    }

    pub(crate) fn subtract(&mut self, domain: DomId, less: Account) {
        let mut account = self.of(domain);
        account.nodes = account.nodes.saturating_sub(less.nodes);
        account.bytes = account.bytes.saturating_sub(less.bytes);
        if account.nodes == 0 {
            self.0.remove(&domain);
        } else {
            self.0.insert((domain, account));
        }
    }

    /// Whether it has just these figures.
    pub(crate) fn is(&self, counted: &BTreeMap<DomId, Account>) -> bool {
        self.0
            .iter()
            .map(|(domain, account)| (domain, account))
            .eq(counted)
    }
}
