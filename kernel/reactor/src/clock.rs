//! Time, by the kernel's clocks.

use morgana_hal::{Clock, Instant, WallTime};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// `CLOCK_MONOTONIC` and `CLOCK_REALTIME`. The monotonic clock's origin is about the domain's start.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinuxClock;

impl Clock for LinuxClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(nanos(clock_gettime(ClockId::Monotonic)))
    }

    fn wall(&self) -> WallTime {
        WallTime::from_unix_nanos(nanos(clock_gettime(ClockId::Realtime)))
    }
}

/// Nanoseconds; a time before the origin is the origin.
fn nanos(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_has_a_year() {
        let first = LinuxClock.now();
        assert!(first > Instant::ZERO);
        assert!(LinuxClock.now() >= first);
        // 2020-01-01.
        assert!(LinuxClock.wall().unix_seconds() > 1_577_836_800);
    }
}
