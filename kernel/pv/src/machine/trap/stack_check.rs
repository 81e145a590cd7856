//! Seeing a stack overflow before it reaches the guard page.
//!
//! Xen cannot deliver a page fault to a kernel whose stack pointer is at the guard page: it needs that very stack for the frame.
//! So what runs deep and often (the allocator, printing) looks at the stack pointer, and reports while there is still room.

use core::arch::{asm, naked_asm};

use morgana_hal::Exit;

use super::backtrace;
use crate::machine::{console, layout, shutdown};

/// What must be left: room for the frames of an exception and of whatever does not look.
const RESERVE: usize = 8 * 1024;

/// Ends the domain with a report if the stack is nearly full.
#[inline]
pub(in crate::machine) fn check_stack() {
    let stack_pointer: usize;
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, rsp", out(reg) stack_pointer, options(nomem, nostack, preserves_flags))
    };
    let stack = layout::stack();
    if stack_pointer < stack.start + RESERVE && stack_pointer >= stack.start {
        overflow();
    }
}

/// Moves to the fault stack and reports there.
#[unsafe(naked)]
extern "C" fn overflow() -> ! {
    naked_asm!(
        "mov rdi, rsp",
        "mov rsi, rbp",
        "mov rsp, offset __fault_stack_top",
        "xor ebp, ebp",
        "call {report}",
        "ud2",
        report = sym report,
    )
}

extern "C" fn report(stack_pointer: usize, frame_pointer: usize) -> ! {
    let stack = layout::stack();
    console::take_back();
    crate::println!("fatal: stack overflow");
    crate::println!(
        "  rsp {stack_pointer:#x}, in a stack of {} bytes from {:#x} to {:#x}",
        stack.len(),
        stack.start,
        stack.end
    );
    backtrace::print(None, frame_pointer);
    shutdown::shutdown(Exit::Crash)
}
