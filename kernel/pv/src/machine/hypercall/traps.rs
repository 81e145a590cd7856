//! Entry points for exceptions and upcalls.

use morgana_abi::callback::{CALLBACKF_MASK_EVENTS, CALLBACKOP_REGISTER, Register};
use morgana_abi::hypercall::{call1, call2};
use morgana_abi::hypercall_number as number;
use morgana_abi::trap::TrapInfo;

use super::{Errno, check};

/// Sets the handlers of exceptions. The last entry must have address 0.
///
/// # Safety
///
/// Each address is the start of code that takes Xen's exception frame.
pub(in crate::machine) unsafe fn set_trap_table(table: &[TrapInfo]) -> Result<(), Errno> {
    assert!(table.last().is_some_and(|last| last.address == 0));
    // SAFETY: Xen reads entries up to the one with address 0, which is there. The caller answers for the code.
    check(unsafe { call1::<{ number::SET_TRAP_TABLE }>(table.as_ptr() as u64) }).map(drop)
}

/// Sets a `CALLBACKTYPE_*` entry point.
///
/// # Safety
///
/// `address` is the start of code that takes the frame that Xen makes for this type.
pub(in crate::machine) unsafe fn register_callback(kind: u16, address: usize) -> Result<(), Errno> {
    let argument = Register {
        kind,
        flags: CALLBACKF_MASK_EVENTS,
        address: address as u64,
    };
    // SAFETY: Xen reads `argument`. The caller answers for the code.
    check(unsafe {
        call2::<{ number::CALLBACK_OP }>(u64::from(CALLBACKOP_REGISTER), &raw const argument as u64)
    })
    .map(drop)
}
