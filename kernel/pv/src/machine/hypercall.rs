//! Hypercalls.

use morgana_abi::{console, hypercall, hypercall_number as number, sched};

pub(super) fn console_write(bytes: &[u8]) {
    // SAFETY: Xen reads the bytes only.
    unsafe {
        hypercall::call3::<{ number::CONSOLE_IO }>(
            u64::from(console::CONSOLEIO_WRITE),
            bytes.len() as u64,
            bytes.as_ptr() as u64,
        );
    }
}

pub(super) fn shutdown(reason: u32) {
    let argument = sched::Shutdown { reason };
    // SAFETY: Xen reads the argument only.
    unsafe {
        hypercall::call2::<{ number::SCHED_OP }>(
            u64::from(sched::SCHEDOP_SHUTDOWN),
            &raw const argument as u64,
        );
    }
}
