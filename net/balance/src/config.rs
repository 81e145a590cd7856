//! Every threshold and limit, with its default.

use core::time::Duration;

/// Bytes of a back end's name at the most: letters, digits, `-`, `.` and `_`.
pub const MAX_NAME: usize = 64;

/// The thresholds and limits of a balancer. Each limit says what happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Back ends: 64, those that drain among them. One more: [`AddError::Full`](crate::AddError::Full).
    pub backends: usize,
    /// Requests in flight at one back end: 256. Further ones go to another one, or wait.
    pub per_backend: u32,
    /// Requests that wait for a back end: 512. One more: refused at once (503).
    pub waiting: u32,
    /// How long a request waits for a back end: 2 s. Then: refused (503).
    pub wait_time: Duration,
    /// How often a request is tried in all: 3.
    pub attempts: u32,
    /// Failures in a row by which requests eject a back end, until checks find it well again: 3.
    pub eject_after: u32,
    /// How long a back end that has become healthy has less than its share, which grows from a tenth of it: 3 s.
    pub slow_start: Duration,
    /// How long a back end that drains may take for the requests that it has: 30 s. Then it is gone all the same.
    pub drain_time: Duration,
    /// When and by what the health of back ends is checked.
    pub checks: Checks,
}

/// The health checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// From the end of a check of a healthy back end to the next one: 1 s.
    pub interval: Duration,
    /// The same for one that joins or is unhealthy: 100 ms, so that a new one serves soon.
    pub eager_interval: Duration,
    /// How long a check may take: 500 ms. Then it has failed.
    pub timeout: Duration,
    /// Checks in a row that must go well until an unhealthy back end is healthy: 2. One that joins needs one, and so does any while no other is healthy.
    pub rise: u32,
    /// Checks in a row that must fail until a healthy back end is unhealthy: 2.
    pub fall: u32,
}

impl Config {
    /// The defaults, for a `const`.
    pub const DEFAULT: Self = Self {
        backends: 64,
        per_backend: 256,
        waiting: 512,
        wait_time: Duration::from_secs(2),
        attempts: 3,
        eject_after: 3,
        slow_start: Duration::from_secs(3),
        drain_time: Duration::from_secs(30),
        checks: Checks {
            interval: Duration::from_secs(1),
            eager_interval: Duration::from_millis(100),
            timeout: Duration::from_millis(500),
            rise: 2,
            fall: 2,
        },
    };
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}
