//! From the first Rust instruction to the application's main function.

use morgana_abi::start_info::StartInfo;

use super::shutdown::{self, Exit};

/// The platform.
pub struct Pv(());

unsafe extern "Rust" {
    fn __morgana_main(pv: Pv) -> Exit;
}

/// Called once by `_start`.
pub(super) unsafe extern "C" fn boot(start_info: *const StartInfo) -> ! {
    // SAFETY: Xen's domain builder passes a mapped, initialised start_info.
    let start_info = unsafe { start_info.read() };
    crate::println!("{} pages", start_info.nr_pages);
    // SAFETY: `boot!` defines this function with this signature.
    let exit = unsafe { __morgana_main(Pv(())) };
    shutdown::shutdown(exit)
}
