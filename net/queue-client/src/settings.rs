//! What can be chosen.

use core::time::Duration;

/// What can be chosen, with defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long connecting may take: 2 s.
    pub connect_time: Duration,
    /// How long an answer may take, beside what it was asked to wait: 5 s.
    pub answer_time: Duration,
    /// How often what may be repeated is tried, with a new connection each time: 3.
    pub attempts: u32,
    /// The wait before the second attempt, which doubles: 100 ms.
    pub pause: Duration,
    /// Connections that are kept for the next request: 4.
    pub idle: usize,
    /// How long a connection is kept that nobody uses: 15 s. It should be less than the service keeps it.
    pub idle_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(2),
            answer_time: Duration::from_secs(5),
            attempts: 3,
            pause: Duration::from_millis(100),
            idle: 4,
            idle_time: Duration::from_secs(15),
        }
    }
}
