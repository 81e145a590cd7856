//! What happens at an exception: a probe is stepped over, all else is reported and ends the domain.

use morgana_hal::Exit;

use super::backtrace;
use super::frame::Frame;
use super::probe;
use crate::machine::{console, events, layout, shutdown};

/// Called by the stubs, on the fault stack.
pub(super) extern "C" fn exception(frame: &mut Frame) {
    if probe::step_over(frame) {
        return;
    }
    console::take_back();
    crate::println!("fatal: {}", name(frame.vector));
    if frame.vector == PAGE_FAULT {
        page_fault(frame);
    } else if frame.error != 0 {
        crate::println!("  error code {:#x}", frame.error);
    }
    crate::print(format_args!("{frame}"));
    backtrace::print(Some(frame.rip as usize), frame.rbp as usize);
    shutdown::shutdown(Exit::Crash)
}

/// Called by the failsafe callback's stub.
pub(super) extern "C" fn failsafe() -> ! {
    console::take_back();
    crate::println!("fatal: a segment register could not be loaded");
    shutdown::shutdown(Exit::Crash)
}

/// The vector of a page fault (Intel SDM vol. 3, 6.15).
pub(super) const PAGE_FAULT: u64 = 14;

fn page_fault(frame: &Frame) {
    let address = events::fault_address();
    // Error code bits (Intel SDM vol. 3, 4.7): 0 present, 1 write, 4 instruction fetch.
    let access = match (frame.error & 1 << 4 != 0, frame.error & 1 << 1 != 0) {
        (true, _) => "execute",
        (_, true) => "write to",
        (_, false) => "read from",
    };
    let why = if frame.error & 1 != 0 {
        "its page does not allow it"
    } else if address < 4096 {
        "null pointer"
    } else if layout::is_guard(address) {
        "stack overflow"
    } else {
        "nothing is mapped there"
    };
    crate::println!(
        "  {access} {address:#x}: {why} (error code {:#x})",
        frame.error
    );
}

/// Names of exceptions (Intel SDM vol. 3, table 6-1).
fn name(vector: u64) -> &'static str {
    match vector {
        0 => "divide error",
        1 => "debug exception",
        3 => "breakpoint",
        4 => "overflow",
        5 => "bound range exceeded",
        6 => "invalid opcode",
        7 => "device not available",
        10 => "invalid task state segment",
        11 => "segment not present",
        12 => "stack segment fault",
        13 => "general protection fault",
        PAGE_FAULT => "page fault",
        16 => "floating point error",
        17 => "alignment check",
        18 => "machine check",
        19 => "SIMD floating point error",
        _ => "unknown exception",
    }
}
