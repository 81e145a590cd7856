//! By what a domain learns of its events, as Xen has it for each domain (xen.h, `shared_info`).

use crate::ports::MAX_PORTS;
use crate::sync::{AtomicU32, AtomicU64};

/// Words of bits for all ports that a domain can have.
pub(crate) const WORDS: usize = (MAX_PORTS / 64) as usize;

/// What is in the [`EventPage`](crate::event_page::EventPage). Any bytes are valid.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct EventWords {
    /// A bit for each word of `pending` that may have bits set (xen.h, `vcpu_info.evtchn_pending_sel`).
    pub(crate) selector: AtomicU64,
    /// A bit for each port (xen.h, `shared_info.evtchn_pending`).
    pub(crate) pending: [AtomicU64; WORDS],
    /// When the next late event is due, in nanoseconds; `u64::MAX` if there is none.
    pub(crate) late: AtomicU64,
    /// Not 0 while the domain's thread sleeps or is about to.
    pub(crate) sleeping: AtomicU32,
    /// Not 0 once the domain was killed.
    pub(crate) dead: AtomicU32,
}
