//! What a domain is made with.

use core::fmt;

use morgana_hal::DomId;

use crate::CapturedConsole;

/// What a new domain gets. The defaults are small, so that leaks and missing limits show early.
#[derive(Clone, Debug)]
pub struct DomainConfig {
    /// Pages that the domain can share with peers. Its other memory is the process's. Default: 4,096 (16 MiB).
    pub shared_pages: usize,
    /// Entries of the grant table, the eight that Xen reserves included. Default: 1,024 (two of Xen's pages of version 1 entries).
    pub grants: u32,
    /// Event channel ports, port 0 (which Xen never gives out) included. Default: 128. At most 4,096.
    pub ports: u32,
    /// Pages of peers that it can map at the same time. Default: 1,024.
    pub mappings: usize,
    /// The domain that serves its xenstore ring. Default: none, so there is no xenstore.
    pub xenstore: Option<XenstoreServer>,
    /// Where its console goes. Default: nowhere.
    pub console: Console,
}

/// Who serves a new domain's xenstore ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum XenstoreServer {
    /// The new domain itself, as with the domain that runs xenstored.
    Itself,
    /// Another domain.
    Domain(DomId),
}

impl Default for DomainConfig {
    fn default() -> Self {
        Self {
            shared_pages: 4096,
            grants: 1024,
            ports: 128,
            mappings: 1024,
            xenstore: None,
            console: Console::None,
        }
    }
}

/// Where a domain's console goes.
#[derive(Clone, Debug, Default)]
pub enum Console {
    /// There is none.
    #[default]
    None,
    /// Output goes to the process's standard output; there is no input.
    Stdout,
    /// Both ends are in the hands of whoever holds the clone.
    Captured(CapturedConsole),
}

/// Why a domain could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreateError {
    /// The Linux kernel gave no memory, address space or file descriptor.
    OutOfResources,
    /// All domain ids have been used.
    NoFreeDomId,
    /// The domain that shall serve the new one's xenstore ring does not exist, or has no room for it.
    NoXenstoreServer,
    /// The tables asked for are larger than the emulation can have, or too small for what the domain begins with.
    BadConfig,
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfResources => "the host gives no memory or descriptor for another domain",
            Self::NoFreeDomId => "all domain ids have been used",
            Self::NoXenstoreServer => "the domain that shall serve xenstore does not exist",
            Self::BadConfig => "a table of the new domain is too large or too small",
        })
    }
}

impl core::error::Error for CreateError {}
