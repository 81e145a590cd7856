//! What a guest may use up.

use alloc::collections::BTreeMap;

use morgana_hal::DomId;
use morgana_xenstore_wire::ABSOLUTE_PATH_MAX;

/// Limits for each guest; the control domain has none but the path's length. The defaults are those of Xen's C xenstored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Nodes that a domain owns. Default: 1,000.
    pub nodes: usize,
    /// A node's value, in bytes. Default: 2,048.
    pub value_bytes: usize,
    /// Watches of a connection. Default: 128.
    pub watches: usize,
    /// Transactions that a connection has open. Default: 10.
    pub transactions: usize,
    /// Nodes that one transaction looks at or changes, and how many changes it may make. Default: 1,024.
    pub transaction_nodes: usize,
    /// Entries of a node's permissions. Default: 5.
    pub permissions: usize,
    /// An absolute path, in bytes. Default: 3,072, which is the protocol's limit.
    pub path_bytes: usize,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            nodes: 1000,
            value_bytes: 2048,
            watches: 128,
            transactions: 10,
            transaction_nodes: 1024,
            permissions: 5,
            path_bytes: ABSOLUTE_PATH_MAX,
        }
    }
}

/// How many nodes each domain owns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Owned(BTreeMap<DomId, usize>);

impl Owned {
    pub(crate) fn of(&self, domain: DomId) -> usize {
        self.0.get(&domain).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, domain: DomId, nodes: usize) {
        if nodes > 0 {
            *self.0.entry(domain).or_default() += nodes;
        }
    }

    pub(crate) fn subtract(&mut self, domain: DomId, nodes: usize) {
        if let Some(owned) = self.0.get_mut(&domain) {
            *owned = owned.saturating_sub(nodes);
            if *owned == 0 {
                self.0.remove(&domain);
            }
        }
    }
}
