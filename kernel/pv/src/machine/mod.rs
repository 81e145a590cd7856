//! All that exists only inside a PV guest.

mod boot;
mod console;
mod entry;
mod hypercall;
mod panic;
mod shutdown;

pub use boot::Pv;
pub use shutdown::Exit;

#[doc(hidden)]
pub use console::print;

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
