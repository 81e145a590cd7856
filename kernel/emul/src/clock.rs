//! Time: the host's, or one that a simulation moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use morgana_hal::{Clock, Instant, WallTime};

#[derive(Debug)]
pub(crate) enum TimeSource {
    /// `start` was the time at `origin`.
    Host {
        origin: std::time::Instant,
        start: Instant,
    },
    Virtual {
        nanos: AtomicU64,
    },
}

/// A domain's clocks.
#[derive(Clone, Debug)]
pub struct EmulClock(pub(crate) Arc<TimeSource>);

/// 2000-01-01T00:00:00Z, in nanoseconds since the Unix epoch: when virtual time begins.
const YEAR_2000_NANOS: u64 = 946_684_800 * 1_000_000_000;

impl TimeSource {
    pub(crate) fn host() -> Self {
        Self::host_at(Instant::ZERO)
    }

    /// The host's clock, by which it is `now` now.
    pub(crate) fn host_at(now: Instant) -> Self {
        Self::Host {
            origin: std::time::Instant::now(),
            start: now,
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    pub(crate) fn virtual_time() -> Self {
        Self::Virtual {
            nanos: AtomicU64::new(0),
        }
    }

    /// Moves virtual time on to `to`, never back.
    pub(crate) fn advance(&self, to: Instant) {
        if let Self::Virtual { nanos } = self {
            nanos.fetch_max(to.as_nanos(), Ordering::SeqCst);
        }
    }
}

impl Clock for EmulClock {
    fn now(&self) -> Instant {
        match &*self.0 {
            TimeSource::Host { origin, start } => *start + origin.elapsed(),
            TimeSource::Virtual { nanos } => Instant::from_nanos(nanos.load(Ordering::SeqCst)),
        }
    }

    fn wall(&self) -> WallTime {
        let nanos = match &*self.0 {
            TimeSource::Host { .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| u64::try_from(since.as_nanos()).ok())
                .unwrap_or(0),
            TimeSource::Virtual { .. } => YEAR_2000_NANOS.saturating_add(self.now().as_nanos()),
        };
        WallTime::from_unix_nanos(nanos)
    }
}
