//! What a guest may use up.

use core::fmt;

use morgana_xenstore_wire::{ABSOLUTE_PATH_MAX, Errno};

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
    /// Replies that wait to be taken, before no further request is handled. Default: 20.
    pub outstanding: usize,
    /// Bytes of nodes, watches and transactions together. Default: 2,621,440.
    pub memory_bytes: usize,
    /// From so many of these bytes on, the log says so. Default: 2,097,152.
    pub soft_memory_bytes: usize,
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
            outstanding: 20,
            memory_bytes: 2_621_440,
            soft_memory_bytes: 2_097_152,
        }
    }
}

/// What can be used up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Resource {
    /// [`Quota::nodes`].
    Nodes,
    /// [`Quota::watches`].
    Watches,
    /// [`Quota::transactions`].
    Transactions,
    /// [`Quota::transaction_nodes`].
    TransactionNodes,
    /// [`Quota::permissions`].
    Permissions,
    /// [`Quota::value_bytes`].
    NodeSize,
    /// [`Quota::path_bytes`].
    PathLength,
    /// [`Quota::outstanding`].
    Outstanding,
    /// [`Quota::memory_bytes`].
    Memory,
    /// [`Quota::soft_memory_bytes`].
    SoftMemory,
}

impl Resource {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::Nodes,
        Self::Watches,
        Self::Transactions,
        Self::TransactionNodes,
        Self::Permissions,
        Self::NodeSize,
        Self::PathLength,
        Self::Outstanding,
        Self::Memory,
        Self::SoftMemory,
    ];

    /// Its name in requests (docs/misc/xenstore.txt, GET_QUOTA; those that it leaves open are the C daemon's).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Watches => "watches",
            Self::Transactions => "transactions",
            Self::TransactionNodes => "transaction-nodes",
            Self::Permissions => "permissions",
            Self::NodeSize => "node-size",
            Self::PathLength => "path-max",
            Self::Outstanding => "outstanding",
            Self::Memory => "memory",
            Self::SoftMemory => "soft-memory",
        }
    }

    /// The resource of this name. Some have a second name, that of another version of the C daemon.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "node-permissions" => Some(Self::Permissions),
            "path-length" => Some(Self::PathLength),
            _ => Self::ALL.into_iter().find(|one| one.name() == name),
        }
    }

    /// What a guest hears that asks for too much of it.
    pub(crate) const fn errno(self) -> Errno {
        match self {
            Self::Memory | Self::SoftMemory => Errno::NoMemory,
            Self::PathLength => Errno::Invalid,
            _ => Errno::NoSpace,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Quota {
    /// A limit, for changes.
    pub fn limit_mut(&mut self, resource: Resource) -> &mut usize {
        match resource {
            Resource::Nodes => &mut self.nodes,
            Resource::Watches => &mut self.watches,
            Resource::Transactions => &mut self.transactions,
            Resource::TransactionNodes => &mut self.transaction_nodes,
            Resource::Permissions => &mut self.permissions,
            Resource::NodeSize => &mut self.value_bytes,
            Resource::PathLength => &mut self.path_bytes,
            Resource::Outstanding => &mut self.outstanding,
            Resource::Memory => &mut self.memory_bytes,
            Resource::SoftMemory => &mut self.soft_memory_bytes,
        }
    }

    /// A limit.
    pub fn limit(mut self, resource: Resource) -> usize {
        *self.limit_mut(resource)
    }
}

/// Whether so much is more than the limit allows.
pub(crate) fn exceeds(limit: usize, wanted: usize) -> bool {
    limit != 0 && wanted > limit
}
