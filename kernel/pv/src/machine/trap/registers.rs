//! The registers as they are now, for panics.

use core::arch::naked_asm;

use super::frame::Frame;

/// Prints the registers.
pub(in crate::machine) fn print_registers() {
    let mut frame = Frame::default();
    capture(&mut frame);
    crate::print(format_args!("{frame}"));
}

/// Stores the registers that a call preserves, and where the call returns to. What the others held is gone by the time that a
/// panic is reported; they stay zero.
#[unsafe(naked)]
extern "C" fn capture(frame: &mut Frame) {
    naked_asm!(
        "mov [rdi + {r15}], r15",
        "mov [rdi + {r14}], r14",
        "mov [rdi + {r13}], r13",
        "mov [rdi + {r12}], r12",
        "mov [rdi + {rbp}], rbp",
        "mov [rdi + {rbx}], rbx",
        "mov rax, [rsp]",
        "mov [rdi + {rip}], rax",
        "lea rax, [rsp + 8]",
        "mov [rdi + {rsp}], rax",
        "pushfq",
        "pop rax",
        "mov [rdi + {rflags}], rax",
        "ret",
        r15 = const core::mem::offset_of!(Frame, r15),
        r14 = const core::mem::offset_of!(Frame, r14),
        r13 = const core::mem::offset_of!(Frame, r13),
        r12 = const core::mem::offset_of!(Frame, r12),
        rbp = const core::mem::offset_of!(Frame, rbp),
        rbx = const core::mem::offset_of!(Frame, rbx),
        rip = const core::mem::offset_of!(Frame, rip),
        rsp = const core::mem::offset_of!(Frame, rsp),
        rflags = const core::mem::offset_of!(Frame, rflags),
    )
}
