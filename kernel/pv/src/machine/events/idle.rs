//! Finding events, and sleeping until there is one.

use core::marker::PhantomData;
use core::sync::atomic::Ordering;

use morgana_hal::{Idle, Instant};

use super::ports;
use crate::machine::hypercall;
use crate::machine::shared_info::{self, UPCALL_MASK};

/// The run loop's view of events.
#[derive(Debug)]
pub struct PvIdle {
    timer: Timer,
    only_here: PhantomData<*const ()>,
}

/// Xen's timer as it was set last.
#[derive(Debug, Default)]
struct Timer {
    /// When it fires, or has fired.
    deadline: Option<Instant>,
    /// The arrivals at its port by then.
    seen: u64,
}

impl PvIdle {
    pub(in crate::machine) fn new(only_here: PhantomData<*const ()>) -> Self {
        Self {
            timer: Timer::default(),
            only_here,
        }
    }
}

impl Timer {
    /// Makes it fire at `wanted` or before. A timer that fires too soon costs one turn of the run loop; to set it anew before each sleep would
    /// cost a hypercall each time, and most sleeps end long before.
    fn fire_by(&mut self, wanted: Instant) {
        let fired = ports::timer_count();
        if let Some(deadline) = self.deadline
            && deadline <= wanted
            && self.seen == fired
        {
            return;
        }
        // 0 would disarm it; no deadline is 0. One that has passed fires at once.
        hypercall::set_timer(wanted.as_nanos().max(1));
        self.deadline = Some(wanted);
        self.seen = fired;
    }
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
            self.timer.fire_by(deadline);
        }
        hypercall::block();
        // The upcall has masked them again; if none was due, nothing has.
        shared_info::byte(UPCALL_MASK).store(1, Ordering::SeqCst);
    }
}
