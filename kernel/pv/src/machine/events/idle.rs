//! Finding events, and sleeping until there is one.

use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use morgana_hal::{Clock, Idle, Instant};

use super::ports;
use crate::machine::clock::PvClock;
use crate::machine::hypercall;
use crate::machine::shared_info::{self, UPCALL_MASK};

/// The run loop's view of events.
#[derive(Debug)]
pub struct PvIdle {
    pub(in crate::machine) only_here: PhantomData<*const ()>,
}

impl Idle for PvIdle {
    fn dispatch(&mut self) -> usize {
        if ports::anything_pending() {
            ports::dispatch()
        } else {
            0
        }
    }

    /// Xen checks for pending events and puts the processor to sleep in one step, so nothing that comes between our look and the
    /// sleep is missed. The timer is a virtual interrupt like others.
    fn wait(&mut self, deadline: Option<Instant>) {
        if ports::anything_pending() {
            return;
        }
        if let Some(deadline) = deadline {
            if deadline <= PvClock.now() {
                return;
            }
            // 0 would disarm it; no deadline in the future is 0. It is set each time, even to the same point: Xen may fire a moment
            // before our clock is there, and a timer that has fired stays silent.
            hypercall::set_timer(deadline.as_nanos());
        } else {
            hypercall::set_timer(0);
        }
        hypercall::block();
        // The upcall has masked them again; if none was due, nothing has.
        shared_info::byte(UPCALL_MASK).store(1, Ordering::SeqCst);
    }
}
