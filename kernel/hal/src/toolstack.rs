//! What a toolstack does to other domains.

use alloc::vec::Vec;
use core::fmt;

use crate::{DomId, GrantRef, Mfn, Pages, Port};

/// Privileged operations on other domains. It is no part of [`Platform`](crate::Platform), so an ordinary app cannot even name them; who holds such a
/// value can do anything to any domain.
///
/// A domain is built in this order: [`create`](Self::create), [`populate`](Self::populate), contents by [`map`](Self::map), the mappings dropped,
/// [`write_hypercall_page`](Self::write_hypercall_page), [`pin`](Self::pin), [`start_at`](Self::start_at), and at last [`unpause`](Self::unpause).
pub trait Toolstack {
    /// A domain's pages, mapped here. Dropping them unmaps.
    type Foreign: Pages;

    /// Makes a domain: paused, without memory.
    fn create(&self, wanted: &NewDomain) -> Result<DomId, ToolstackError>;

    /// Gives the domain as many pages of memory as `frames` is long, from pseudo-physical page 0 on, and tells which they are. If Xen has not enough, the domain has some
    /// of them, and is to be destroyed.
    fn populate(&self, domain: DomId, frames: &mut [Mfn]) -> Result<(), ToolstackError>;

    /// Maps frames of the domain, one after the other, to read and write. All or nothing.
    fn map(&self, domain: DomId, frames: &[Mfn]) -> Result<Self::Foreign, ToolstackError>;

    /// Has Xen write the hypercalls into a page of the domain.
    fn write_hypercall_page(&self, domain: DomId, frame: Mfn) -> Result<(), ToolstackError>;

    /// Has Xen check the page tables under `root` and take them as such. Nobody may have them mapped to write.
    fn pin(&self, domain: DomId, root: Mfn) -> Result<(), ToolstackError>;

    /// Sets how a virtual processor starts.
    fn start_at(&self, domain: DomId, vcpu: u32, start: &Start) -> Result<(), ToolstackError>;

    /// Makes a port of `domain` to which `peer` may connect.
    fn listen_for(&self, domain: DomId, peer: DomId) -> Result<Port, ToolstackError>;

    /// Writes entries into the domain's grant table, before it runs: peers that may read and write a frame each.
    fn grant(&self, domain: DomId, grants: &[(GrantRef, DomId, Mfn)])
    -> Result<(), ToolstackError>;

    /// Stops the domain, in addition to all that have stopped it before.
    fn pause(&self, domain: DomId) -> Result<(), ToolstackError>;

    /// Takes back one [`pause`](Self::pause), or the one that a domain is made with.
    fn unpause(&self, domain: DomId) -> Result<(), ToolstackError>;

    /// Ends the domain and gives back what it has. What others have mapped stays until they let go; the domain is dying so long.
    fn destroy(&self, domain: DomId) -> Result<(), ToolstackError>;

    /// How the first domain is whose number is not below `from`; `None` if there is none.
    fn next(&self, from: DomId) -> Result<Option<DomainInfo>, ToolstackError>;

    /// How a domain is; `None` if there is none of this number.
    fn info(&self, domain: DomId) -> Result<Option<DomainInfo>, ToolstackError> {
        Ok(self.next(domain)?.filter(|info| info.domain == domain))
    }

    /// How all domains are, in the order of their numbers.
    fn list(&self) -> Result<Vec<DomainInfo>, ToolstackError> {
        let mut infos = Vec::new();
        let mut next = Some(DomId::DOM0);
        while let Some(from) = next {
            let Some(info) = self.next(from)? else {
                break;
            };
            next = info.domain.number().checked_add(1).map(DomId::new);
            infos.push(info);
        }
        Ok(infos)
    }
}

/// A domain to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewDomain {
    /// Its UUID.
    pub handle: [u8; 16],
    /// Virtual processors.
    pub vcpus: u32,
    /// Pages of memory that it may have.
    pub max_pages: u64,
    /// The highest event channel port that it may have.
    pub max_port: Port,
}

/// How a virtual processor starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    /// The address of its first instruction.
    pub entry: u64,
    /// Its stack's end (rsp).
    pub stack: u64,
    /// What it is told: the address of `start_info` (rsi).
    pub argument: u64,
    /// The root of its address space.
    pub root: Mfn,
}

/// How a domain is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DomainInfo {
    /// Which one it is.
    pub domain: DomId,
    /// Its UUID.
    pub handle: [u8; 16],
    /// What it does.
    pub activity: Activity,
    /// Pages of memory that it has.
    pub pages: u64,
    /// Pages that it may have.
    pub max_pages: u64,
    /// The frame of the page that it shares with Xen (`struct shared_info`).
    pub shared_info: Mfn,
    /// Nanoseconds that its processors have run.
    pub cpu_time_ns: u64,
    /// Virtual processors that are on.
    pub vcpus: u32,
}

/// What a domain does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// It is being taken down.
    Dying,
    /// It has shut down, for this reason (sched.h, `SHUTDOWN_*`).
    ShutDown(u8),
    /// A toolstack has paused it.
    Paused,
    /// It runs at this moment.
    Running,
    /// It waits for an event.
    Blocked,
    /// It could run.
    Runnable,
}

/// Why a privileged operation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ToolstackError {
    /// This domain may not do that.
    NotPrivileged,
    /// There is no such domain (any more).
    NoSuchDomain,
    /// Xen has not that much free memory.
    OutOfMemory,
    /// No room is left here: address space, or buffers.
    NoRoomHere,
    /// A frame cannot be mapped: it is not the domain's.
    BadFrame,
    /// Xen refused, with this number (Xen's errno.h).
    Refused(i32),
}

impl fmt::Display for ToolstackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPrivileged => "this domain is not privileged",
            Self::NoSuchDomain => "there is no such domain",
            Self::OutOfMemory => "Xen has not enough free memory",
            Self::NoRoomHere => "no address space or buffer is left here",
            Self::BadFrame => "the frame is not the domain's to map",
            Self::Refused(errno) => return write!(f, "Xen refused (error {errno})"),
        })
    }
}

impl core::error::Error for ToolstackError {}
