//! Every limit of the server, with its default.

use core::time::Duration;

use crate::wire::HeadLimits;

/// The limits of a server. Each says what happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's head: 8 KiB. Over it: 431, or 414 within the request line; close.
    pub head: usize,
    /// Bytes of a request target: 4 KiB. Over it: 414, close.
    pub target: usize,
    /// Header fields of a request: 64. Over it: 431, close.
    pub headers: usize,
    /// Bytes of a request's body once decoded: 64 KiB. Over it: 413, close.
    pub body: u64,
    /// Connections at a time: 1,024. Over it: 503 with `Retry-After`, close.
    pub connections: usize,
    /// Connections that are being told so at a time: 32. Over it they are closed without an answer.
    pub refusals: usize,
    /// Requests on a connection: 10,000. The last one is answered with `Connection: close`.
    pub requests: u32,
    /// Heads at a time that are too long for the small block of 1 KiB that every connection may have: 16. Over it: 503
    /// with `Retry-After`, close.
    pub large_heads: usize,
    /// Small blocks kept for the next request instead of going back to the heap: 32.
    pub spare_blocks: usize,
    /// How long a connection may stay silent between requests: 60 s. Then it is closed without a word.
    pub idle_time: Duration,
    /// How long a head may take from its first byte: 10 s. Then: 408, close.
    pub header_time: Duration,
    /// How long a body may take from the end of its head, the handler's own time included: 30 s. Then: 408, close.
    pub body_time: Duration,
    /// How long a client may take no byte of an answer: 10 s. Then the connection is closed.
    pub write_time: Duration,
    /// Bytes a second that a client must take on average, once `write_time` has passed: 1,024. Else the connection is
    /// closed.
    pub write_rate: u32,
    /// How long a handler may take for the next piece of a content that is made while it is sent: 60 s. Then the connection is closed, in the midst of it.
    pub stall_time: Duration,
    /// How long to read on after a refusal, so that the answer is not lost to a reset: 1 s.
    pub linger_time: Duration,
    /// How many bytes to read on at the most: 64 KiB.
    pub linger_bytes: usize,
    /// What `Retry-After` says in a 503, in seconds: 1.
    pub retry_after: u32,
}

impl Limits {
    /// The defaults, for a `const`.
    pub const DEFAULT: Self = Self {
        head: 8 * 1024,
        target: 4 * 1024,
        headers: 64,
        body: 64 * 1024,
        connections: 1024,
        refusals: 32,
        requests: 10_000,
        large_heads: 16,
        spare_blocks: 32,
        idle_time: Duration::from_secs(60),
        header_time: Duration::from_secs(10),
        body_time: Duration::from_secs(30),
        write_time: Duration::from_secs(10),
        write_rate: 1024,
        stall_time: Duration::from_secs(60),
        linger_time: Duration::from_secs(1),
        linger_bytes: 64 * 1024,
        retry_after: 1,
    };

    pub(super) const fn head_limits(&self) -> HeadLimits {
        HeadLimits {
            head: self.head,
            target: self.target,
            headers: self.headers,
        }
    }

    /// How long an answer with a content of so many bytes may take in all.
    pub(super) fn answer_time(&self, bytes: usize) -> Duration {
        let seconds = bytes as u64 / u64::from(self.write_rate.max(1));
        self.write_time.saturating_add(Duration::from_secs(seconds))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
