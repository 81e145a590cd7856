//! Sleeping, timers, the end.

use core::ptr;

use morgana_abi::hypercall::{call1, call2, call3};
use morgana_abi::{hypercall_number as number, sched, vcpu};

/// Unmasks upcalls and sleeps until an event is pending, in one step.
pub(in crate::machine) fn block() {
    // SAFETY: no argument. The upcall that follows runs `trap::entry::upcall`, which changes nothing but the upcall mask.
    unsafe { call2::<{ number::SCHED_OP }>(u64::from(sched::SCHEDOP_BLOCK), 0) };
}

/// Lets another virtual processor run.
pub(in crate::machine) fn yield_now() {
    // SAFETY: no argument, no memory touched.
    unsafe { call2::<{ number::SCHED_OP }>(u64::from(sched::SCHEDOP_YIELD), 0) };
}

/// Ends the domain with a `SHUTDOWN_*` reason.
pub(in crate::machine) fn shutdown(reason: u32) {
    let argument = sched::Shutdown { reason };
    // SAFETY: Xen reads `argument`, which lives across the call.
    unsafe {
        call2::<{ number::SCHED_OP }>(
            u64::from(sched::SCHEDOP_SHUTDOWN),
            &raw const argument as u64,
        );
    }
}

/// Arms the one-shot timer for a point of Xen's system time in nanoseconds; 0 disarms it.
pub(in crate::machine) fn set_timer(at_ns: u64) {
    // SAFETY: a number; no memory touched.
    unsafe { call1::<{ number::SET_TIMER_OP }>(at_ns) };
}

/// Stops the periodic tick that a domain may start with.
pub(in crate::machine) fn stop_periodic_timer() {
    // SAFETY: no argument but the vCPU's number.
    unsafe {
        call3::<{ number::VCPU_OP }>(
            u64::from(vcpu::VCPUOP_STOP_PERIODIC_TIMER),
            0,
            ptr::null::<u8>() as u64,
        );
    }
}
