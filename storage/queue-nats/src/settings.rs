//! What a queue is opened with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use morgana_queue::Limits;

/// What a queue is opened with.
#[derive(Clone)]
pub struct Settings {
    /// The server: `nats://127.0.0.1:4222`, or several with commas between them.
    pub servers: String,
    /// The name of the stream with the queue: letters, digits, `-` and `_`. It is made if it is not there.
    pub stream: String,
    /// The bounds and rules. All who use a stream should have the same.
    pub limits: Limits,
    /// How many servers of a cluster keep the stream: 1.
    pub replicas: usize,
    /// How long an answer of the server may take: 5 s.
    pub answer_time: Duration,
    /// How long connecting may take: 5 s.
    pub connect_time: Duration,
    /// Milliseconds, by the clock of the day: leases and delays end by the clock of whoever looks.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Called from another thread when something is done: for executors that do not hear a waker from outside by itself.
    pub bell: Arc<dyn Fn() + Send + Sync>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: "nats://127.0.0.1:4222".to_owned(),
            stream: "jobs".to_owned(),
            limits: Limits::default(),
            replicas: 1,
            answer_time: Duration::from_secs(5),
            connect_time: Duration::from_secs(5),
            clock: Arc::new(|| {
                let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
                since.unwrap_or_default().as_millis() as u64
            }),
            bell: Arc::new(|| {}),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("servers", &self.servers)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
