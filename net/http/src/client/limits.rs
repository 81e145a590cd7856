//! The limits of a client.

use core::time::Duration;

use crate::wire::HeadLimits;

/// The limits of a client. The length of a content is limited by who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Bytes of a request's head: 2 KiB. Over it: [`ClientError::Unfit`](super::ClientError::Unfit).
    pub request_head: usize,
    /// Bytes of a response's head: 16 KiB. Over it: an error.
    pub head: usize,
    /// Header fields of a response: 128. Over it: an error.
    pub headers: usize,
    /// Interim responses (1xx) before the final one: 8. Over it: an error.
    pub interim: u32,
    /// How long a server may take from the request to the end of the final head: 30 s. Then: an error.
    pub head_time: Duration,
    /// How long a server may send no byte of a content: 30 s. Then: an error.
    pub read_time: Duration,
    /// How long a server may take no byte of a request: 30 s. Then: an error.
    pub write_time: Duration,
}

impl ClientLimits {
    /// The defaults, for a `const`.
    pub const DEFAULT: Self = Self {
        request_head: 2048,
        head: 16 * 1024,
        headers: 128,
        interim: 8,
        head_time: Duration::from_secs(30),
        read_time: Duration::from_secs(30),
        write_time: Duration::from_secs(30),
    };

    pub(super) const fn head_limits(&self) -> HeadLimits {
        HeadLimits {
            head: self.head,
            target: self.head,
            headers: self.headers,
        }
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
