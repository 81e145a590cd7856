//! Text out, before and beside the console's byte stream.
//!
//! Until the ring is known, in dom0, which has none, and once an application has taken the ring as a stream, text goes to Xen's own
//! console, which lets an unprivileged domain write only if Xen was built for debugging.

mod ring;
mod stream;

use core::fmt;

use super::hypercall;

pub(super) use ring::{attach, drain, take_back};
pub use stream::PvConsole;
pub(super) use stream::stream;

struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !ring::write(text.as_bytes()) {
            hypercall::console_write(text.as_bytes());
        }
        Ok(())
    }
}

#[doc(hidden)]
pub fn print(arguments: fmt::Arguments<'_>) {
    // `Console` never fails; a `Display` that does loses its own text only.
    let _ = fmt::write(&mut Console, arguments);
}
