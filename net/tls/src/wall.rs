//! The time of day, for rustls.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use morgana_hal::WallTime;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

/// The time of the last look at the clock: rustls asks without one at hand. Looked at before each handshake.
#[derive(Default)]
pub(crate) struct Wall(AtomicU64);

impl Wall {
    pub(crate) fn set(&self, now: WallTime) {
        self.0.store(now.unix_seconds(), Ordering::Relaxed);
    }

    pub(crate) fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.unix_seconds();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wall").field(&self.unix_seconds()).finish()
    }
}
