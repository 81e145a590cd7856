//! Events that come later than they were sent.

use std::collections::BTreeMap;

use morgana_hal::{Instant, Port};

/// How many can be on their way to one domain.
const MAX_LATE: usize = 4096;

/// A domain's late events, by the time at which they are due.
#[derive(Debug, Default)]
pub(crate) struct LateEvents {
    due: BTreeMap<(Instant, u64), Port>,
    sent: u64,
}

impl LateEvents {
    /// Adds one. False if there is no room; then it is to come at once.
    pub(crate) fn add(&mut self, port: Port, due: Instant) -> bool {
        let room = self.due.len() < MAX_LATE;
        if room {
            self.due.insert((due, self.sent), port);
            self.sent += 1;
        }
        room
    }

    /// Takes one that is due by `now`.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Port> {
        let first = self.due.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The port is closed.
    pub(crate) fn forget(&mut self, port: Port) {
        self.due.retain(|_, &mut late| late != port);
    }

    /// When the next is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|(&(due, _), _)| due)
    }
}
