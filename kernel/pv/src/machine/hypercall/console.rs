//! Xen's own console.

use morgana_abi::hypercall::call3;
use morgana_abi::{console, hypercall_number as number};

/// Writes to Xen's console. Xen refuses it to an unprivileged domain unless it was built for debugging: hence no result.
pub(in crate::machine) fn console_write(bytes: &[u8]) {
    // SAFETY: Xen reads `bytes.len()` bytes at the pointer, which are initialised and live.
    unsafe {
        call3::<{ number::CONSOLE_IO }>(
            u64::from(console::CONSOLEIO_WRITE),
            bytes.len() as u64,
            bytes.as_ptr() as u64,
        );
    }
}
