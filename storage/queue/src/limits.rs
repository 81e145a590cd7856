//! How much a queue holds.

use crate::Backoff;

/// The bounds and rules of a queue. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs in all, dead letters included.
    pub jobs: usize,
    /// Bytes of one payload.
    pub payload: usize,
    /// Bytes of one key of de-duplication.
    pub key: usize,
    /// Bytes of all payloads, dead letters included.
    pub bytes: usize,
    /// Keys of de-duplication that are remembered.
    pub keys: usize,
    /// How long a key is remembered.
    pub window: u64,
    /// Attempts before a job becomes a dead letter; none is taken for one.
    pub attempts: u32,
    /// The longest lease and the longest delay; more is cut to it.
    pub longest: u64,
    /// The time between attempts.
    pub backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            jobs: 4096,
            payload: 8192,
            key: 128,
            bytes: 4 << 20,
            keys: 4096,
            window: 120_000,
            attempts: 5,
            longest: 7 * 86_400_000,
            backoff: Backoff {
                first: 1000,
                most: 300_000,
            },
        }
    }
}
