//! Ctrl-C and SIGTERM, as requests.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

/// What shells report for a program that Ctrl-C has ended: 128 and the signal's number.
const INTERRUPTED: i32 = 128 + SIGINT;

/// A non-blocking stream out of which comes a byte for the first signal that asks for an end. The second one ends the process at once.
pub(crate) fn requests() -> io::Result<UnixStream> {
    let (requests, raised) = UnixStream::pair()?;
    requests.set_nonblocking(true)?;
    let was_asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset and sets it, the second one finds it set.
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, was_asked.clone())?;
        signal_hook::flag::register(signal, was_asked.clone())?;
        signal_hook::low_level::pipe::register(signal, raised.try_clone()?)?;
    }
    Ok(requests)
}
