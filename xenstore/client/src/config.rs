//! Limits.

use core::time::Duration;

/// Requests that may be under way at once. Further ones wait until an answer has come.
pub const MAX_IN_FLIGHT: usize = 16;

/// Transactions that may be open at once; further ones wait. xenstored itself gives a domain 10 (its quota `transactions`), and answers
/// one more with an error.
pub const MAX_TRANSACTIONS: usize = 8;

/// Watches that may be set at once, by default; one more is [`Error::TooManyWatches`](crate::Error::TooManyWatches). xenstored gives a domain 128.
pub const MAX_WATCHES: usize = 64;

/// Changed paths that wait in a watch, if [`Config::queued_events`] is not set. One more, and the watch only says that anything may have
/// changed.
pub const MAX_QUEUED_EVENTS: usize = 16;

/// The longest list of children in bytes, each name with its NUL, if [`Config::children_bytes`] is not set. More is
/// [`Error::TooManyChildren`](crate::Error::TooManyChildren).
pub const MAX_CHILDREN_BYTES: usize = 1 << 20;

/// What a client may be told at its making.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// How long to wait for an answer. Default: 30 s.
    pub request_timeout: Duration,
    /// How often to try a transaction that others' changes get in the way of. Default: 64.
    pub transaction_attempts: u32,
    /// Watches that may be set at once. Default: [`MAX_WATCHES`].
    pub watches: usize,
    /// The longest list of children in bytes, each name with its NUL. Default: [`MAX_CHILDREN_BYTES`].
    pub children_bytes: usize,
    /// Changed paths that wait in a watch. Each further event is compared with all of them. Default: [`MAX_QUEUED_EVENTS`].
    pub queued_events: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            transaction_attempts: 64,
            watches: MAX_WATCHES,
            children_bytes: MAX_CHILDREN_BYTES,
            queued_events: MAX_QUEUED_EVENTS,
        }
    }
}
