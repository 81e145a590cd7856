//! What only the run loop sees: finding events, and sleeping.

use crate::Instant;

/// How a domain's one thread learns of events and waits for them.
pub trait Idle {
    /// Counts every pending event on its channel and wakes who waits there. Returns how many it found.
    fn dispatch(&mut self) -> usize;

    /// Sleeps until an event is pending or `deadline` has come (for ever if there is none). Returns at once if an event is already
    /// pending, and may return early for no reason; it never sleeps past an event.
    fn wait(&mut self, deadline: Option<Instant>);
}
