//! What a server has seen and done.

/// Counters, which only grow.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Messages over UDP.
    pub udp: u64,
    /// Messages over TCP.
    pub tcp: u64,
    /// Answers by response code: NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, and all others.
    pub rcodes: [u64; 7],
    /// Answers that did not fit, and were truncated.
    pub truncated: u64,
    /// Messages that get no answer: too short, or responses.
    pub ignored: u64,
    /// Answers not sent because of the rate limit.
    pub limited: u64,
    /// Truncated answers sent because of it.
    pub slipped: u64,
    /// Answers that were found among those kept.
    pub memo_hits: u64,
    /// Answers that had to be made.
    pub memo_misses: u64,
    /// Queries with a cookie of ours.
    pub cookies_valid: u64,
    /// Queries with a cookie of ours that is too old, or forged.
    pub cookies_invalid: u64,
    /// Transfers begun.
    pub transfers: u64,
    /// Notifications received.
    pub notifications: u64,
}
