//! Keeping: entries from all connections go to the journal, in batches.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::time::Duration;

use morgana_block::BlockDevice;
use morgana_exec::{Notify, Receiver, Seldom, Timers};
use morgana_journal::Writer;

/// Entries that wait for the journal.
pub(crate) const WAITING: usize = 64;
/// Before a disk that could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// An entry on its way to the journal.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) entry: Vec<u8>,
    /// When it came, in nanoseconds since 1970.
    pub(crate) received: u64,
    /// Who is to know when it is kept, and the number that its domain gave it.
    pub(crate) told: Option<(Rc<Kept>, u64)>,
}

/// What of a domain's session is kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// All records with lower numbers.
    pub(crate) before: Cell<u64>,
    pub(crate) changed: Notify,
}

/// Keeps what comes, until nobody is left who sends. Ends with the first error that another attempt does not mend.
pub(crate) async fn keep<D: BlockDevice>(
    mut writer: Writer<D>,
    entries: Receiver<Taken>,
    timers: Timers,
) {
    let mut troubles = Seldom::default();
    let mut complain = |error: &dyn fmt::Display| {
        if let Some(times) = troubles.again() {
            log::error!("the log cannot be written: {error} (time {times})");
        }
    };
    while let Some(first) = entries.receive().await {
        let mut batch = alloc::vec![first];
        while batch.len() < WAITING
            && let Some(next) = entries.try_receive()
        {
            batch.push(next);
        }
        // A disk that cannot be written makes all wait; who sends drops and counts what it has no room for.
        for taken in &batch {
            while let Err(error) = writer.append(taken.received, &taken.entry).await {
                complain(&error);
                timers.sleep(PAUSE).await;
            }
        }
        while let Err(error) = writer.commit().await {
            complain(&error);
            timers.sleep(PAUSE).await;
        }
        for (kept, number) in batch.into_iter().filter_map(|taken| taken.told) {
            kept.before.set(kept.before.get().max(number + 1));
            kept.changed.notify();
        }
    }
}
