//! Calls into Xen from a 64-bit PV guest.
//!
//! Convention (`arch-x86/xen-x86_64.h`): arguments in rdi, rsi, rdx, r10, r8; result in rax; the argument registers are
//! clobbered; entry is `hypercall_page + 32 * number`. The stubs in that page use `syscall`, which destroys rcx and r11; they
//! save both today, which nothing promises, so both count as clobbered here.
//!
//! `HYPERCALL_PAGE` comes from the linker script; the domain builder fills the page before the guest runs.

use core::arch::asm;

macro_rules! define {
    ($(#[$doc:meta])* $name:ident($($arg:ident in $register:tt),*)) => {
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// The number must name a hypercall with this many arguments (or fewer). Every pointer among them must be valid for
        /// what that hypercall reads and writes through it, and what the hypercall changes (page tables, traps, mappings)
        /// must keep every reference of the running program valid.
        #[inline]
        pub unsafe fn $name<const NUMBER: u64>($($arg: u64),*) -> i64 {
            let result: i64;
            // SAFETY: 1. The hypercall page is filled with 128 stubs of 32 bytes before the guest's first instruction and
            // is mapped executable for ever. 2. All registers that the convention lets Xen change are outputs here; memory
            // is assumed to change (no `nomem`). 3. The stub uses a few words of our stack, below which nothing lives: the
            // target has no red zone. 4. The caller answers for what the hypercall does.
            unsafe {
                asm!(
                    "call HYPERCALL_PAGE + 32 * {number}",
                    number = const NUMBER,
                    $(inlateout($register) $arg => _,)*
                    lateout("rax") result,
                    lateout("rcx") _,
                    lateout("r11") _,
                );
            }
            result
        }
    };
}

define! {
    /// A hypercall with one argument.
    call1(a in "rdi")
}
define! {
    /// A hypercall with two arguments.
    call2(a in "rdi", b in "rsi")
}
define! {
    /// A hypercall with three arguments.
    call3(a in "rdi", b in "rsi", c in "rdx")
}
define! {
    /// A hypercall with four arguments.
    call4(a in "rdi", b in "rsi", c in "rdx", d in "r10")
}
define! {
    /// A hypercall with five arguments.
    call5(a in "rdi", b in "rsi", c in "rdx", d in "r10", e in "r8")
}
