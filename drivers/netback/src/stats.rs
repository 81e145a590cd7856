//! What a back end counts for one interface.

/// Counters since the interface was connected, and (last) how full it is now. Counters wrap around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Frames that the front end has sent, passed on.
    pub in_frames: u64,
    /// Their bytes.
    pub in_bytes: u64,
    /// Large TCP frames among them.
    pub in_large: u64,
    /// Frames refused because they were said to be large TCP frames, and are not.
    pub in_not_large: u64,
    /// Frames refused because they were longer than the MTU allows.
    pub in_too_long: u64,
    /// Frames refused because they were shorter than an Ethernet header.
    pub in_too_short: u64,
    /// Frames refused because they used a feature that was not offered.
    pub in_not_negotiated: u64,
    /// Frames refused because a page of theirs could not be read.
    pub in_bad_grant: u64,
    /// Frames put into the front end's pages.
    pub out_frames: u64,
    /// Their bytes.
    pub out_bytes: u64,
    /// Large TCP frames among them.
    pub out_large: u64,
    /// Large TCP frames that were cut here because the front end does not take them.
    pub out_cut: u64,
    /// Frames lost because the front end's page could not be written.
    pub out_bad_grant: u64,
    /// How often a frame found no room in the queue.
    pub out_full: u64,
    /// Frames dropped because there was no page for them, and the front end would not have told of a new one.
    pub out_no_page: u64,
    /// Frames whose checksum was completed here because the front end does not take blank ones.
    pub out_completed: u64,
    /// Frames dropped because their checksum should have been completed, but they hold no TCP or UDP segment.
    pub out_not_completed: u64,
    /// Notifications sent to the front end.
    pub notifications: u64,
    /// Frames dropped because they were longer than the front end takes.
    pub out_too_long: u64,
    /// Front ends that broke the protocol, and were left.
    pub violations: u64,
    /// Connections made.
    pub connections: u64,
    /// Now: frames that wait for a page.
    pub out_queued: usize,
    /// How many may wait.
    pub out_queue_limit: usize,
}

impl Stats {
    /// The sum of the counters, with the gauges of `other`.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let sum = |ours: u64, theirs: u64| ours.wrapping_add(theirs);
        Self {
            in_frames: sum(self.in_frames, other.in_frames),
            in_bytes: sum(self.in_bytes, other.in_bytes),
            in_large: sum(self.in_large, other.in_large),
            in_not_large: sum(self.in_not_large, other.in_not_large),
            in_too_long: sum(self.in_too_long, other.in_too_long),
            in_too_short: sum(self.in_too_short, other.in_too_short),
            in_not_negotiated: sum(self.in_not_negotiated, other.in_not_negotiated),
            in_bad_grant: sum(self.in_bad_grant, other.in_bad_grant),
            out_frames: sum(self.out_frames, other.out_frames),
            out_bytes: sum(self.out_bytes, other.out_bytes),
            out_large: sum(self.out_large, other.out_large),
            out_cut: sum(self.out_cut, other.out_cut),
            out_bad_grant: sum(self.out_bad_grant, other.out_bad_grant),
            out_full: sum(self.out_full, other.out_full),
            out_no_page: sum(self.out_no_page, other.out_no_page),
            out_completed: sum(self.out_completed, other.out_completed),
            out_not_completed: sum(self.out_not_completed, other.out_not_completed),
            notifications: sum(self.notifications, other.notifications),
            out_too_long: sum(self.out_too_long, other.out_too_long),
            violations: sum(self.violations, other.violations),
            connections: sum(self.connections, other.connections),
            out_queued: other.out_queued,
            out_queue_limit: other.out_queue_limit,
        }
    }

    /// The counters alone, for a connection that has ended.
    pub(crate) fn without_gauges(self) -> Self {
        Self {
            out_queued: 0,
            out_queue_limit: 0,
            ..self
        }
    }
}
