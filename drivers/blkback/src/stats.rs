//! What a back end counts for one disk.

/// Counters since the disk was opened, and (last) how busy it is now. Counters wrap around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Reads that came off.
    pub reads: u64,
    /// Their bytes.
    pub read_bytes: u64,
    /// Writes that came off.
    pub writes: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Flushes that came off.
    pub flushes: u64,
    /// Discards that came off.
    pub discards: u64,
    /// Requests with their segments in pages of their own.
    pub indirect: u64,
    /// Requests refused because they left the disk, wrote what is read-only, or made no sense.
    pub refused: u64,
    /// Requests for something that is not offered.
    pub unsupported: u64,
    /// Requests that failed because a page of theirs could not be read or written.
    pub bad_grants: u64,
    /// Requests that the device failed.
    pub errors: u64,
    /// Notifications sent to the front end.
    pub notifications: u64,
    /// Front ends that broke the protocol, and were left.
    pub violations: u64,
    /// Connections made.
    pub connections: u64,
    /// Pages of front ends mapped to stay so.
    pub persistent_maps: u64,
    /// Now: requests under way.
    pub in_flight: usize,
    /// Now: bytes of private memory that they take.
    pub buffered_bytes: usize,
    /// Now: pages of the front end that stay mapped.
    pub persistent_pages: usize,
}

impl Stats {
    /// The sum of the counters, with the gauges of `other`.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let sum = |ours: u64, theirs: u64| ours.wrapping_add(theirs);
        Self {
            reads: sum(self.reads, other.reads),
            read_bytes: sum(self.read_bytes, other.read_bytes),
            writes: sum(self.writes, other.writes),
            written_bytes: sum(self.written_bytes, other.written_bytes),
            flushes: sum(self.flushes, other.flushes),
            discards: sum(self.discards, other.discards),
            indirect: sum(self.indirect, other.indirect),
            refused: sum(self.refused, other.refused),
            unsupported: sum(self.unsupported, other.unsupported),
            bad_grants: sum(self.bad_grants, other.bad_grants),
            errors: sum(self.errors, other.errors),
            notifications: sum(self.notifications, other.notifications),
            violations: sum(self.violations, other.violations),
            connections: sum(self.connections, other.connections),
            persistent_maps: sum(self.persistent_maps, other.persistent_maps),
            in_flight: other.in_flight,
            buffered_bytes: other.buffered_bytes,
            persistent_pages: other.persistent_pages,
        }
    }

    /// The counters alone, for a connection that has ended.
    pub(crate) fn without_gauges(self) -> Self {
        Self {
            in_flight: 0,
            buffered_bytes: 0,
            persistent_pages: 0,
            ..self
        }
    }
}
