//! The first instructions of exceptions and upcalls.
//!
//! Xen's frame for a 64-bit kernel, lowest address first: rcx, r11, error code (some vectors), rip, cs, rflags, rsp, ss. The way
//! back is a plain `iretq` once the two low bits of cs, which Xen shows as 0 in kernel mode, are 3 again (`HYPERVISOR_iret` in
//! arch-x86/xen-x86_64.h describes this).

use core::arch::naked_asm;

use super::fatal;

/// Every exception that can come, with its stub.
pub(super) const STUBS: [(u8, unsafe extern "C" fn()); 16] = [
    (0, divide_error),
    (1, debug),
    (3, breakpoint),
    (4, overflow),
    (5, bound_range),
    (6, invalid_opcode),
    (7, no_device),
    (10, invalid_tss),
    (11, segment_missing),
    (12, stack_segment),
    (13, general_protection),
    (14, page_fault),
    (16, x87),
    (17, alignment),
    (18, machine_check),
    (19, simd),
];

macro_rules! stubs {
    ($($name:ident = $vector:literal, $error:literal;)*) => {$(
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            naked_asm!(
                "pop rcx",
                "pop r11",
                $error,
                concat!("push ", $vector),
                "jmp {common}",
                common = sym common,
            )
        }
    )*};
}

// The second column makes room for an error code where Xen pushes none.
stubs! {
    divide_error = 0, "push 0";
    debug = 1, "push 0";
    breakpoint = 3, "push 0";
    overflow = 4, "push 0";
    bound_range = 5, "push 0";
    invalid_opcode = 6, "push 0";
    no_device = 7, "push 0";
    invalid_tss = 10, "";
    segment_missing = 11, "";
    stack_segment = 12, "";
    general_protection = 13, "";
    page_fault = 14, "";
    x87 = 16, "push 0";
    alignment = 17, "";
    machine_check = 18, "push 0";
    simd = 19, "push 0";
}

/// Completes a `Frame`, calls the handler on the fault stack (unless that is where we are), restores and returns.
#[unsafe(naked)]
unsafe extern "C" fn common() {
    naked_asm!(
        "push rax",
        "push rbx",
        "push rcx",
        "push rdx",
        "push rsi",
        "push rdi",
        "push rbp",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "cld",
        "mov rdi, rsp",
        "mov rbx, rsp",
        // Already on the fault stack? Then stay below what is there.
        "mov rax, offset __fault_stack_bottom",
        "cmp rsp, rax",
        "jb 2f",
        "mov rax, offset __fault_stack_top",
        "cmp rsp, rax",
        "jbe 3f",
        "2: mov rsp, offset __fault_stack_top",
        "3: and rsp, -16",
        "xor ebp, ebp",
        "call {handler}",
        "mov rsp, rbx",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rbp",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop rcx",
        "pop rbx",
        "pop rax",
        "add rsp, 16",
        "or byte ptr [rsp + 8], 3",
        "iretq",
        handler = sym fatal::exception,
    )
}

/// The event upcall. It only returns: Xen has masked upcalls on the way in and nothing unmasks them on the way out, which is how
/// they stay masked everywhere but inside `SCHEDOP_block`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn upcall() {
    naked_asm!("pop rcx", "pop r11", "or byte ptr [rsp + 8], 3", "iretq",)
}

/// Xen could not load a segment register that we asked for. We never load one.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn failsafe() {
    naked_asm!(
        "mov rsp, offset __fault_stack_top",
        "xor ebp, ebp",
        "call {handler}",
        "ud2",
        handler = sym fatal::failsafe,
    )
}
