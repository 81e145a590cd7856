//! Exceptions, and the entry point of upcalls.
//!
//! A 64-bit PV kernel is entered on the stack that it was using: Xen switches stacks only on the way from user mode, which we do
//! not have. So the stubs themselves move to a stack of their own before any Rust code runs. One case cannot be helped that way:
//! if there is no room left for the frame that Xen writes (the stack pointer is at the guard page), Xen ends the domain with the
//! crash code and reports the registers on its own console. `stack_check` sees most overflows before it comes to that.

mod backtrace;
mod entry;
mod fatal;
mod frame;
mod probe;
mod registers;
mod stack_check;

use morgana_abi::callback::{CALLBACKTYPE_EVENT, CALLBACKTYPE_FAILSAFE};
use morgana_abi::trap::{FLAT_KERNEL_CS64, TRAP_MASK_EVENTS, TrapInfo};

use super::hypercall::{self, Errno};

pub(super) use backtrace::print_from_here;
pub use probe::{can_execute_data, can_read, can_write, provoke_page_fault};
pub(super) use registers::print_registers;
pub(super) use stack_check::check_stack;

/// Registers all handlers with Xen.
pub(super) fn init() -> Result<(), Errno> {
    let none = TrapInfo {
        vector: 0,
        flags: 0,
        cs: 0,
        address: 0,
    };
    let mut table = [none; entry::STUBS.len() + 1];
    for (info, (vector, stub)) in table.iter_mut().zip(entry::STUBS) {
        *info = TrapInfo {
            vector,
            flags: TRAP_MASK_EVENTS,
            cs: FLAT_KERNEL_CS64,
            address: stub as *const () as u64,
        };
    }
    // SAFETY: the stubs take the frame that Xen makes for their vector, with an error code where the vector has one.
    unsafe { hypercall::set_trap_table(&table)? };
    // SAFETY: `upcall` takes the frame of an event callback, `failsafe` never returns to the frame.
    unsafe {
        hypercall::register_callback(CALLBACKTYPE_EVENT, entry::upcall as *const () as usize)?;
        hypercall::register_callback(CALLBACKTYPE_FAILSAFE, entry::failsafe as *const () as usize)
    }
}
