//! What a front end counts.

/// Counters since the device was made, and (last) how full it is now. Counters wrap around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Reads that the back end has answered well.
    pub reads: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// Writes that the back end has answered well.
    pub writes: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Flushes that the back end has answered well.
    pub flushes: u64,
    /// Discards that the back end has answered well.
    pub discards: u64,
    /// Requests that the back end has answered with an error.
    pub errors: u64,
    /// Requests whose user was gone when the answer came.
    pub detached: u64,
    /// How often there was no room for another request.
    pub full: u64,
    /// Requests on a ring with their segments in pages of their own.
    pub indirect: u64,
    /// Requests sent again, after a back end was replaced.
    pub resent: u64,
    /// Notifications sent to the back end.
    pub notifications: u64,
    /// Back ends that broke the protocol, and were left.
    pub violations: u64,
    /// Connections made.
    pub connections: u64,
    /// Now: requests without an answer.
    pub in_flight: usize,
    /// Now: pages of the pool in use.
    pub pool_used: usize,
    /// Pages of the pool altogether.
    pub pool_pages: usize,
}

impl Stats {
    /// The sum of the counters; the gauges are not set.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let sum = |ours: u64, theirs: u64| ours.wrapping_add(theirs);
        Self {
            reads: sum(self.reads, other.reads),
            read_bytes: sum(self.read_bytes, other.read_bytes),
            writes: sum(self.writes, other.writes),
            written_bytes: sum(self.written_bytes, other.written_bytes),
            flushes: sum(self.flushes, other.flushes),
            discards: sum(self.discards, other.discards),
            errors: sum(self.errors, other.errors),
            detached: sum(self.detached, other.detached),
            full: sum(self.full, other.full),
            indirect: sum(self.indirect, other.indirect),
            resent: sum(self.resent, other.resent),
            notifications: sum(self.notifications, other.notifications),
            violations: sum(self.violations, other.violations),
            connections: sum(self.connections, other.connections),
            in_flight: 0,
            pool_used: 0,
            pool_pages: 0,
        }
    }
}
