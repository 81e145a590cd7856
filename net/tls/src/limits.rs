//! What clients may take.

use core::time::Duration;

/// Limits of an [`Acceptor`](crate::Acceptor).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Time for a handshake, from the connection on.
    pub handshake: Duration,
    /// Handshakes at a time. One more makes the oldest give up, so that those who never finish do not keep out those who do.
    pub handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            handshakes: 64,
        }
    }
}

/// Bytes of a record's header (RFC 8446, 5.1).
pub(crate) const HEADER: usize = 5;

/// Bytes of a record behind its header: 2^14 and what encryption may add, which is 2,048 in TLS 1.2 (RFC 5246, 6.2.3).
pub(crate) const RECORD: usize = 16_384 + 2048;

/// Bytes that wait for the end of a handshake message. A client's first message has hundreds, with post-quantum keys thousands.
pub(crate) const HELD: usize = 2 * RECORD;

/// Bytes that are encrypted into one record.
pub(crate) const PLAINTEXT: usize = 16_384;

/// What a record has besides its plaintext: header, explicit nonce, content type, tag; and room for a key update before it.
pub(crate) const OVERHEAD: usize = 128;
