//! What can be chosen.

use core::time::Duration;

use morgana_http::Limits as ServerLimits;
use morgana_queue::Limits;

/// What can be chosen, with defaults.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The limits and rules of the queue.
    pub queue: Limits,
    /// Requests for a lease that may wait at a time: 256. Further ones: 503.
    pub waiting: usize,
    /// How long a request for a lease may wait at the most: 20 s. More is a 400.
    pub wait_time: Duration,
    /// How long a lease is that nobody said otherwise of: 30 s.
    pub lease_time: Duration,
    /// Dead letters of a page at the most: 100. So many bytes of payloads end a page, too.
    pub page: usize,
    /// Bytes of payloads of a page, after which it ends: 64 KiB.
    pub page_bytes: usize,
    /// How long to wait before the queue of a disk that has failed is opened again: 1 s.
    pub reopen_time: Duration,
    /// The limits of the HTTP server.
    pub server: ServerLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue: Limits::default(),
            waiting: 256,
            wait_time: Duration::from_secs(20),
            lease_time: Duration::from_secs(30),
            page: 100,
            page_bytes: 64 << 10,
            reopen_time: Duration::from_secs(1),
            server: ServerLimits {
                connections: 512,
                ..ServerLimits::DEFAULT
            },
        }
    }
}
