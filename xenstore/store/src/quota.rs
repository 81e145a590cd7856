//! What a guest may use up.

use alloc::collections::BTreeMap;

use morgana_hal::DomId;
use morgana_xenstore_wire::ABSOLUTE_PATH_MAX;

/// Limits for each guest; the control domain has none but the path's length. 0 is no limit. The defaults are those of Xen's C xenstored.
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
    /// An absolute path, in bytes. Default: 3,072, which is the protocol's limit, and stays the limit when more is allowed.
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

impl Quota {
    /// The limits' names (docs/misc/xenstore.txt, GET_QUOTA; those that it leaves open are the C daemon's).
    pub const NAMES: [&str; 7] = [
        "nodes",
        "watches",
        "transactions",
        "transaction-nodes",
        "permissions",
        "node-size",
        "path-max",
    ];

    /// The limit of this name, for changes. Some have a second name, that of an older daemon.
    pub fn limit_mut(&mut self, name: &str) -> Option<&mut usize> {
        match name {
            "nodes" => Some(&mut self.nodes),
            "watches" => Some(&mut self.watches),
            "transactions" => Some(&mut self.transactions),
            "transaction-nodes" => Some(&mut self.transaction_nodes),
            "permissions" | "node-permissions" => Some(&mut self.permissions),
            "node-size" => Some(&mut self.value_bytes),
            "path-max" | "path-length" => Some(&mut self.path_bytes),
            _ => None,
        }
    }

    /// The limit of this name.
    pub fn limit(mut self, name: &str) -> Option<usize> {
        self.limit_mut(name).map(|limit| *limit)
    }

    /// The longest absolute path.
    pub(crate) fn longest_path(&self) -> usize {
        match self.path_bytes {
            0 => ABSOLUTE_PATH_MAX,
            limit => limit.min(ABSOLUTE_PATH_MAX),
        }
    }
}

/// Whether so much is more than the limit allows.
pub(crate) fn exceeds(limit: usize, wanted: usize) -> bool {
    limit != 0 && wanted > limit
}

/// How many nodes each domain owns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Owned(BTreeMap<DomId, usize>);

impl Owned {
    /// Whether it has just these figures.
    pub(crate) fn is(&self, counted: &BTreeMap<DomId, usize>) -> bool {
        self.0 == *counted
    }

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
