//! What a bridge counts for each port.

/// Counters of one port since it was added. They wrap around.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PortStats {
    /// Frames that came from the port.
    pub in_frames: u64,
    /// Their bytes.
    pub in_bytes: u64,
    /// Of them: refused, shorter than an Ethernet header, or from an address that is none.
    pub in_malformed: u64,
    /// Of them: refused, from an address that the port may not send from.
    pub in_spoofed: u64,
    /// Of them: refused, meant for bridges themselves.
    pub in_reserved: u64,
    /// Of them: gone to all other ports.
    pub in_flooded: u64,
    /// Frames that went to the port; a large one that was cut counts with each of its pieces.
    pub out_frames: u64,
    /// Their bytes.
    pub out_bytes: u64,
    /// Large frames that were cut because the port does not take them whole.
    pub out_cut: u64,
    /// Frames whose checksum was completed because the port does not take it blank.
    pub out_completed: u64,
    /// Frames dropped because the port had no room.
    pub out_full: u64,
    /// Frames dropped because they were longer than the port takes.
    pub out_too_long: u64,
    /// Frames dropped because they were not what they were said to be: their checksum could not be completed, or they could not be cut.
    pub out_untrue: u64,
}

impl PortStats {
    pub(crate) fn count_in(&mut self, len: usize) {
        count(&mut self.in_frames, &mut self.in_bytes, len);
    }

    pub(crate) fn count_out(&mut self, len: usize) {
        count(&mut self.out_frames, &mut self.out_bytes, len);
    }
}

fn count(frames: &mut u64, bytes: &mut u64, len: usize) {
    *frames = frames.wrapping_add(1);
    *bytes = bytes.wrapping_add(len as u64);
}
