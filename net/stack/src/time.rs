//! Time, between ours (nanoseconds) and smoltcp's (microseconds).

use core::time::Duration;

use morgana_hal::Instant;

/// A point in time, rounded down.
pub(crate) fn instant_to_smoltcp(instant: Instant) -> smoltcp::time::Instant {
    let micros = i64::try_from(instant.as_nanos() / 1_000).unwrap_or(i64::MAX);
    smoltcp::time::Instant::from_micros(micros)
}

/// A point in time; what lies before the origin becomes the origin.
pub(crate) fn instant_from_smoltcp(instant: smoltcp::time::Instant) -> Instant {
    let micros = u64::try_from(instant.total_micros()).unwrap_or(0);
    Instant::from_nanos(micros.saturating_mul(1_000))
}

/// A duration, rounded down.
pub(crate) fn to_smoltcp(duration: Duration) -> smoltcp::time::Duration {
    smoltcp::time::Duration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
