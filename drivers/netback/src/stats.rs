//! What a back end counts for one interface.

/// Counters since the interface was connected, and (last) how full it is now. Counters wrap around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Frames that the front end has sent, passed on.
    pub in_frames: u64,
    /// Their bytes.
    pub in_bytes: u64,
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
    /// 1 if the front end broke the protocol.
    pub violations: u64,
    /// Now: frames that wait for a page.
    pub out_queued: usize,
    /// How many may wait.
    pub out_queue_limit: usize,
}
