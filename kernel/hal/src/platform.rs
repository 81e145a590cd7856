//! A platform, whole.

use crate::{ByteStream, Clock, Events, Memory};

/// All that a domain has of the world. Cheap to clone; every clone is the same domain.
pub trait Platform: Clone + 'static {
    /// Event channels.
    type Events: Events;
    /// Grants.
    type Memory: Memory;
    /// Time.
    type Clock: Clock;
    /// The way to xenstored.
    type Xenstore: ByteStream;
    /// The domain's console.
    type Console: ByteStream;

    /// Event channels.
    fn events(&self) -> &Self::Events;
    /// Grants.
    fn memory(&self) -> &Self::Memory;
    /// Time.
    fn clock(&self) -> &Self::Clock;
    /// The byte stream to xenstored: once, then `None`. `None` too where the domain has no xenstore.
    fn xenstore(&self) -> Option<Self::Xenstore>;
    /// The console: once, then `None`. `None` too where the domain has none.
    fn console(&self) -> Option<Self::Console>;
    /// Fills `out` with bytes that nobody else can guess.
    fn entropy(&self, out: &mut [u8]);
    /// What is in use of the domain's resources now.
    fn usage(&self) -> Usage;
}

/// A domain's resources in use, and their limits. A figure that a platform does not have is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Heap in use, in bytes.
    pub heap_used_bytes: usize,
    /// The heap's size, in bytes.
    pub heap_total_bytes: usize,
    /// Grant references in use.
    pub grants_used: usize,
    /// Grant references that the table can hold.
    pub grants_total: usize,
    /// Pages that were given back while a peer still mapped them.
    pub quarantined_pages: usize,
    /// Event channel ports in use.
    pub ports_used: usize,
    /// Event channel ports that there can be.
    pub ports_total: usize,
}

/// How a domain ends (sched.h, `SHUTDOWN_*`). What follows is the toolstack's decision: `on_poweroff`, `on_reboot`, `on_crash`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The work is done: `SHUTDOWN_poweroff`.
    Poweroff,
    /// Start me again: `SHUTDOWN_reboot`.
    Reboot,
    /// Something went wrong: `SHUTDOWN_crash`.
    Crash,
}
