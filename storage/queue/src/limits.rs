//! How much a queue holds.

use crate::frame::FRAME_BYTES;
use crate::log::MAX_HALF;
use crate::record::{KEY_BYTES, MAX_BATCH, PUT_BYTES};
use crate::{Backoff, OpenError};

/// The most bytes of a payload that limits may allow.
pub const MAX_PAYLOAD: usize = 32 << 10;

/// The most bytes of a key that limits may allow.
pub const MAX_KEY: usize = 1 << 10;

/// The bounds and rules of a queue. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs in all, dead letters included.
    pub jobs: usize,
    /// Dead letters: beyond them the one of the lowest number is dropped.
    pub dead: usize,
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
            dead: 1024,
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

impl Limits {
    /// How many bytes a device is to have for a queue with these limits: two halves, each for twice all that there may be.
    pub fn device_bytes(&self) -> u64 {
        let bytes = |count: usize, each: usize| (count as u64).saturating_mul(each as u64);
        let records = bytes(self.jobs, PUT_BYTES)
            .saturating_add(bytes(self.keys, KEY_BYTES.saturating_add(self.key)))
            .saturating_add(self.bytes as u64);
        // Two batches behind each other have more than one can take. The last sector of each may be nearly empty.
        let batches = records / (MAX_BATCH as u64 / 2) + 2;
        let all = records.saturating_add(batches * (FRAME_BYTES as u64 + 4096));
        all.saturating_mul(4).saturating_add(2 * 4096)
    }

    /// Whether a device of so many bytes has room for a queue with these limits.
    pub(crate) fn check(&self, bytes: u64) -> Result<(), OpenError> {
        if self.payload > MAX_PAYLOAD || self.key > MAX_KEY {
            return Err(OpenError::Limits);
        }
        let room = bytes.min(2 * MAX_HALF);
        if self.device_bytes() > room {
            return Err(OpenError::TooSmall);
        }
        Ok(())
    }
}
