//! Event channels, two-level: a selector word names words of pending bits, which name ports.
//!
//! Every port has a counter of arrivals, and the wakers of the tasks that wait for it to step. `PvIdle::dispatch` finds pending
//! ports and steps their counters; `PvIdle::wait` sleeps. Upcalls are masked everywhere but inside the sleep.

mod channel;
mod idle;
mod ports;

pub(super) use channel::{Origin, own_id};
pub use channel::{PvChannel, PvEvents};
pub use idle::PvIdle;
pub(super) use ports::{init, used};

use core::sync::atomic::Ordering;

use super::shared_info::{FAULT_ADDRESS, is_attached, word};

/// The address of the latest page fault (`arch_vcpu_info.cr2`), or 0 if the page that tells is not mapped yet.
pub(super) fn fault_address() -> usize {
    if is_attached() {
        word(FAULT_ADDRESS).load(Ordering::Relaxed) as usize
    } else {
        0
    }
}
