//! All that exists only inside a PV guest.

mod boot;
mod clock;
mod console;
mod domains;
mod entropy;
mod entry;
mod events;
mod getrandom;
mod grants;
mod heap;
mod hypercall;
mod layout;
mod logging;
mod memory;
mod one_cpu;
mod page;
mod panic;
mod platform;
mod shared_info;
mod shutdown;
mod trap;

pub use clock::PvClock;
pub use console::{PvConsole, print};
pub use domains::{NotAllowed, PvDomains};
pub use events::{PvChannel, PvEvents, PvIdle};
pub use grants::{PvImported, PvMemory, PvReadOnly, PvShared};
pub use logging::{LogSink, set_log_sink};
pub use memory::{MapError, Protection, PvForeign, protection};
pub use morgana_hal::Exit;
pub use page::RingPage;
pub use platform::{Pv, PvXenstore};
pub use trap::{can_execute_data, can_read, can_write, provoke_page_fault};

/// Prints a line on the domain's console; for boot, tests and last words. Applications have the console's byte stream.
#[macro_export]
macro_rules! println {
    ($($argument:tt)*) => {
        $crate::print(::core::format_args!("{}\n", ::core::format_args!($($argument)*)))
    };
}

/// Makes a function `fn(Pv) -> Exit` the program that this image runs.
#[macro_export]
macro_rules! boot {
    ($main:path) => {
        const _: () = {
            #[unsafe(no_mangle)]
            fn __morgana_main(pv: $crate::Pv) -> $crate::Exit {
                $main(pv)
            }
        };
    };
}
