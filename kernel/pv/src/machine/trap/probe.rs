//! Touching memory to see whether that is allowed.
//!
//! The accesses are single instructions in one known range; a page fault there makes the probe answer "no" instead of ending the
//! domain. This tests the page tables from inside, and keeps a backtrace over a broken stack from faulting again.

use core::arch::{asm, global_asm};

use super::fatal::PAGE_FAULT;
use super::frame::Frame;

global_asm!(
    ".pushsection .text.probe, \"ax\"",
    "__probe_start:",
    // (address, out) -> 0 if *out = *address was possible.
    "__probe_load:",
    "    mov rax, [rdi]",
    "    mov [rsi], rax",
    "    xor eax, eax",
    "    ret",
    // (address) -> 0 if the byte there could be written. It is written with what it was.
    "__probe_store:",
    "    mov al, [rdi]",
    "    mov [rdi], al",
    "    xor eax, eax",
    "    ret",
    // (address) -> 0 if the code there could be called.
    "__probe_call:",
    "    call rdi",
    "__probe_called:",
    "    xor eax, eax",
    "    ret",
    "__probe_end:",
    // Where a fault in the range continues.
    "__probe_failed:",
    "    mov eax, 1",
    "    ret",
    ".popsection",
);

unsafe extern "C" {
    static __probe_start: u8;
    static __probe_end: u8;
    static __probe_called: u8;
    static __probe_failed: u8;
    fn __probe_load(address: usize, out: *mut usize) -> u32;
    fn __probe_store(address: usize) -> u32;
    fn __probe_call(address: usize) -> u32;
}

/// Reads a word, if that is possible.
pub(super) fn load(address: usize) -> Option<usize> {
    let mut word = 0;
    // SAFETY: a read of an address that faults is stepped over; one that does not has no effect on our memory. `word` is ours.
    let failed = unsafe { __probe_load(address, &raw mut word) };
    (failed == 0).then_some(word)
}

/// Whether the eight bytes at `address` can be read.
pub fn can_read(address: usize) -> bool {
    load(address).is_some()
}

/// Whether the byte at `address` can be written. It keeps its value.
pub fn can_write(address: usize) -> bool {
    // SAFETY: a write that faults is stepped over; one that does not stores the value that is there, and no other code runs between
    // the two instructions.
    unsafe { __probe_store(address) == 0 }
}

/// Whether data can be executed as code: must be no wherever the processor can forbid it.
pub fn can_execute_data() -> bool {
    // The instruction `ret` (Intel SDM vol. 2), in a page for data.
    let code = core::hint::black_box([0xc3_u8; 16]);
    // SAFETY: `code` is a whole function that only returns. If its page forbids execution the fault is stepped over.
    unsafe { __probe_call(code.as_ptr() as usize) == 0 }
}

/// Reads from an address that is not mapped, to see what comes of it. For tests; of a mapped address the result does not matter.
pub fn provoke_page_fault(address: usize) {
    // SAFETY: a read whose result is not used; if the address is not mapped the fault handler ends the domain, which is the point.
    unsafe {
        asm!("mov rax, [{}]", in(reg) address, out("rax") _, options(nostack, readonly));
    }
}

/// If the fault is one of a probe's, makes it continue where it answers "no".
pub(super) fn step_over(frame: &mut Frame) -> bool {
    if frame.vector != PAGE_FAULT {
        // An address outside of the canonical ranges gives a general protection fault (13).
        if frame.vector != 13 {
            return false;
        }
    }
    let range = &raw const __probe_start as u64..&raw const __probe_end as u64;
    if range.contains(&frame.rip) {
        frame.rip = &raw const __probe_failed as u64;
        return true;
    }
    // Error code bit 4: instruction fetch. A call pushed its return address before the fetch failed.
    if frame.vector == PAGE_FAULT && frame.error & 1 << 4 != 0 {
        let pushed = core::ptr::with_exposed_provenance::<u64>(frame.rsp as usize);
        // SAFETY: the stack pointer of code that ran until now points to its stack.
        if unsafe { pushed.read() } == &raw const __probe_called as u64 {
            frame.rsp += 8;
            frame.rip = &raw const __probe_failed as u64;
            return true;
        }
    }
    false
}
