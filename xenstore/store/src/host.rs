//! What the store asks its owner.

use morgana_hal::DomId;

/// How much memory is left to the daemon.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MemoryLeft {
    /// So little that nobody gets more: what is left is for taking things away, and for what is under way.
    Exhausted,
    /// What is left is for the control domain.
    Short,
    /// Enough for everybody.
    Enough,
}

/// The store's owner, as far as the store has questions. A function that says whether there is a domain is one, with memory enough.
pub trait Host {
    /// Whether there is such a domain.
    fn exists(&self, domain: DomId) -> bool;

    /// How much memory is left now. While it is not enough, requests that take some are refused with `ENOMEM`, and transactions lose
    /// their snapshots, the oldest first.
    fn memory_left(&self) -> MemoryLeft {
        MemoryLeft::Enough
    }
}

impl<F: Fn(DomId) -> bool> Host for F {
    fn exists(&self, domain: DomId) -> bool {
        self(domain)
    }
}
