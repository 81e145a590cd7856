//! Panics: where, why, registers, backtrace, and the crash code.

use core::cell::Cell;
use core::panic::PanicInfo;

use morgana_hal::Exit;

use super::one_cpu::OneCpu;
use super::{console, heap, shutdown, trap};

static PANICKING: OneCpu<Cell<bool>> = OneCpu::new(Cell::new(false));

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if PANICKING.replace(true) {
        // The report itself panicked: say no more.
        shutdown::shutdown(Exit::Crash);
    }
    console::take_back();
    crate::println!("{info}");
    let usage = heap::usage();
    crate::println!(
        "  heap: {} of {} bytes in use",
        usage.used_bytes,
        usage.total_bytes
    );
    trap::print_registers();
    trap::print_from_here();
    shutdown::shutdown(Exit::Crash)
}
