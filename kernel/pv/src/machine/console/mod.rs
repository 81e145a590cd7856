//! Text out, before and beside the console's byte stream.
//!
//! Until the ring is known, in dom0, which has none, and once an application has taken the ring as a stream, text goes to Xen's own
//! console, which lets an unprivileged domain write only if Xen was built for debugging.

mod ring;
mod stream;

use core::fmt;

use super::{hypercall, logging};

pub(super) use ring::{attach, drain};
pub use stream::PvConsole;
pub(super) use stream::stream;

struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write(text.as_bytes());
        Ok(())
    }
}

/// Writes to the ring, or to Xen's console where there is none.
pub(super) fn write(bytes: &[u8]) {
    if !ring::write(bytes) {
        hypercall::console_write(bytes);
    }
}

/// Takes the ring back from the stream, for the last words of a domain that ends, and says first what waited to be said.
pub(super) fn take_back() {
    ring::take_back();
    logging::print_unsent();
}

#[doc(hidden)]
pub fn print(arguments: fmt::Arguments<'_>) {
    // `Console` never fails; a `Display` that does loses its own text only.
    let _ = fmt::write(&mut Console, arguments);
}
