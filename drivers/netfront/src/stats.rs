//! What a front end counts.

/// Counters since the device was made, and (last) how full it is now. Counters wrap around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Frames handed to the back end.
    pub tx_frames: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// Slots of which the back end said that it dropped them.
    pub tx_dropped: u64,
    /// Slots of which the back end said that they were wrong.
    pub tx_errors: u64,
    /// How often there was no room for another frame.
    pub tx_full: u64,
    /// Frames whose checksum was completed here because the back end does not take blank ones.
    pub tx_completed: u64,
    /// Large TCP frames among those handed over.
    pub tx_large: u64,
    /// Large TCP frames that were cut here because the back end does not take them.
    pub tx_cut: u64,
    /// Frames received and passed on.
    pub rx_frames: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// Frames dropped because the back end reported an error in them.
    pub rx_errors: u64,
    /// Frames dropped because they were longer than the MTU allows.
    pub rx_too_long: u64,
    /// Large TCP frames among those passed on.
    pub rx_large: u64,
    /// Frames dropped because they were said to be large TCP frames, and are not.
    pub rx_not_large: u64,
    /// Frames dropped because they were shorter than an Ethernet header.
    pub rx_too_short: u64,
    /// Frames dropped because they used a feature that was not negotiated.
    pub rx_not_negotiated: u64,
    /// Notifications sent to the back end.
    pub notifications: u64,
    /// Back ends that broke the protocol, and were left.
    pub violations: u64,
    /// Connections made.
    pub connections: u64,
    /// Now: half pages for frames to be sent that the back end has not given back.
    pub tx_in_flight: usize,
    /// Now: half pages for frames to be sent altogether.
    pub tx_buffers: usize,
    /// Now: pages that the back end may fill.
    pub rx_offered: usize,
}

impl Stats {
    /// The sum of the counters, with the gauges of `other`.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let sum = |ours: u64, theirs: u64| ours.wrapping_add(theirs);
        Self {
            tx_frames: sum(self.tx_frames, other.tx_frames),
            tx_bytes: sum(self.tx_bytes, other.tx_bytes),
            tx_dropped: sum(self.tx_dropped, other.tx_dropped),
            tx_errors: sum(self.tx_errors, other.tx_errors),
            tx_full: sum(self.tx_full, other.tx_full),
            tx_completed: sum(self.tx_completed, other.tx_completed),
            tx_large: sum(self.tx_large, other.tx_large),
            tx_cut: sum(self.tx_cut, other.tx_cut),
            rx_frames: sum(self.rx_frames, other.rx_frames),
            rx_bytes: sum(self.rx_bytes, other.rx_bytes),
            rx_errors: sum(self.rx_errors, other.rx_errors),
            rx_too_long: sum(self.rx_too_long, other.rx_too_long),
            rx_large: sum(self.rx_large, other.rx_large),
            rx_not_large: sum(self.rx_not_large, other.rx_not_large),
            rx_too_short: sum(self.rx_too_short, other.rx_too_short),
            rx_not_negotiated: sum(self.rx_not_negotiated, other.rx_not_negotiated),
            notifications: sum(self.notifications, other.notifications),
            violations: sum(self.violations, other.violations),
            connections: sum(self.connections, other.connections),
            tx_in_flight: other.tx_in_flight,
            tx_buffers: other.tx_buffers,
            rx_offered: other.rx_offered,
        }
    }

    /// The counters alone, for a connection that has ended.
    pub(crate) fn without_gauges(self) -> Self {
        Self {
            tx_in_flight: 0,
            tx_buffers: 0,
            rx_offered: 0,
            ..self
        }
    }
}
