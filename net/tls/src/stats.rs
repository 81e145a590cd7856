//! What happened.

/// Counters of an [`Acceptor`](crate::Acceptor).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Handshakes that came to their end.
    pub handshakes: u64,
    /// Those among them that went on with an earlier session.
    pub resumed: u64,
    /// Handshakes that failed, by the peer's fault or the stream's.
    pub failed: u64,
    /// Handshakes that took too long.
    pub timed_out: u64,
    /// Handshakes that made room for others.
    pub displaced: u64,
}
