//! Panics.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    crate::println!("{info}");
    super::shutdown::shutdown(super::shutdown::Exit::Crash)
}
