//! Painting a poster.

use core::time::Duration;

use crc32fast::Hasher;
use fractal::Order;
use morgana_exec::{Timers, yield_now};

/// The lease is not ours any more: somebody else may be doing the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// Paints a poster and returns the CRC-32 of its pixels' steps, each as four bytes, the least first, rows from the top. `keep` is called each `period` or so, so that the lease goes on.
///
/// # Errors
///
/// [`Lost`], as `keep` says.
pub async fn paint(
    order: &Order,
    timers: &Timers,
    period: Duration,
    mut keep: impl AsyncFnMut() -> Result<(), Lost>,
) -> Result<u32, Lost> {
    let mut hasher = Hasher::new();
    let mut kept = timers.now();
    for row in 0..order.side {
        for steps in order.tile.row(row, order.side, order.iterations) {
            hasher.update(&steps.to_le_bytes());
        }
        if timers.now().since(kept) >= period {
            kept = timers.now();
            keep().await?;
        }
        // Who asks for the figures, or wants an end, has a turn.
        yield_now().await;
    }
    Ok(hasher.finalize())
}
