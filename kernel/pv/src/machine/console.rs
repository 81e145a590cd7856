//! Text out.

use core::fmt;

struct Emergency;

impl fmt::Write for Emergency {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        super::hypercall::console_write(text.as_bytes());
        Ok(())
    }
}

/// Prints on the console.
#[doc(hidden)]
pub fn print(arguments: fmt::Arguments<'_>) {
    let _ = fmt::write(&mut Emergency, arguments);
}
