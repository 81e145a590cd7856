//! What stands in records of our own.

use bitflags::bitflags;

bitflags! {
    /// Of the daemon.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct GlobalFlags: u32 {
        /// Each request is logged.
        const TRACE = 1;
    }

    /// Of a connection.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct ConnectionFlags: u32 {
        /// It is not served until it asks to begin anew.
        const PAUSED = 1;
    }

    /// Of a domain.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct DomainFlags: u16 {
        /// Those who watch know that it has shut down.
        const SHUT_DOWN = 1;
    }

    /// Of a transaction.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct TransactionFlags: u32 {
        /// It can only end with `EAGAIN`.
        const LOST = 1;
        /// So does each of its requests.
        const STALE = 2;
    }
}

/// What a step changes: a value, which makes the node if it is missing.
pub(super) const WRITE: u16 = 1;
/// It makes a node.
pub(super) const MKDIR: u16 = 2;
/// It removes a node.
pub(super) const REMOVE: u16 = 3;
/// It sets permissions.
pub(super) const PERMIT: u16 = 4;
