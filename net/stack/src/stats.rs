//! Counters.

/// Why a frame was dropped before it reached a protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dropped {
    Malformed,
    BadChecksum,
    Fragment,
    OtherStation,
    OtherAddress,
    BadSource,
    UnknownProtocol,
}

/// What the stack has seen and done, for `/metrics`. All but the last group count up since the stack was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Frames received, those dropped included.
    pub frames_received: u64,
    /// Frames sent.
    pub frames_sent: u64,
    /// Bytes in frames received.
    pub bytes_received: u64,
    /// Bytes in frames sent.
    pub bytes_sent: u64,
    /// Large TCP frames among those received, which the sender's side has not cut into segments.
    pub large_received: u64,
    /// Large TCP frames among those sent, which the device cuts into segments.
    pub large_sent: u64,
    /// Answers that were given up because the device had no room.
    pub replies_without_room: u64,

    /// Received frames that are truncated or contradict themselves.
    pub malformed: u64,
    /// Received frames with a wrong checksum.
    pub bad_checksums: u64,
    /// Received fragments: they are not reassembled.
    pub fragments: u64,
    /// Received frames for another Ethernet station.
    pub other_stations: u64,
    /// Received packets for another IP address.
    pub other_addresses: u64,
    /// Received packets whose sender cannot be who it says.
    pub bad_sources: u64,
    /// Received frames of protocols that are not spoken here.
    pub unknown_protocols: u64,

    /// TCP connections that peers opened.
    pub tcp_accepted: u64,
    /// TCP connections that `connect` opened.
    pub tcp_connected: u64,
    /// SYNs answered with a cookie, because there were as many handshakes as the listener's backlog.
    pub tcp_cookies_sent: u64,
    /// Connections among those accepted that began with a cookie.
    pub tcp_cookies_accepted: u64,
    /// SYNs and cookies ignored because as many connections as the listener's backlog waited to be accepted.
    pub tcp_backlog_full: u64,
    /// SYNs dropped because there were as many connections as may be.
    pub tcp_connections_full: u64,
    /// SYNs dropped, segments left to their retransmission and writes that waited, because buffer memory was in use.
    pub tcp_memory_full: u64,
    /// Segments for which there is no connection and no listener.
    pub tcp_strays: u64,
    /// Connections that the peer reset.
    pub tcp_resets: u64,
    /// Connections given up because the peer was silent.
    pub tcp_timeouts: u64,
    /// How often a quiescent connection gave its buffers back.
    pub tcp_parked: u64,
    /// How often a parked connection came back to life.
    pub tcp_revived: u64,

    /// Datagrams received for sockets.
    pub udp_received: u64,
    /// Datagrams sent.
    pub udp_sent: u64,
    /// Datagrams dropped because a socket's queue was full.
    pub udp_queue_full: u64,
    /// Datagrams for which there is no socket.
    pub udp_strays: u64,
    /// Datagrams given up because their destination did not answer on the link.
    pub udp_unreachable: u64,

    /// TCP connections now.
    pub tcp_connections: usize,
    /// TCP connections now that are parked.
    pub tcp_parked_now: usize,
    /// Bytes of connections' buffers now.
    pub tcp_buffer_bytes: usize,
    /// Connections in TIME-WAIT now.
    pub tcp_time_wait: usize,
    /// UDP sockets now.
    pub udp_sockets: usize,
}

impl Stats {
    pub(crate) fn drop_frame(&mut self, why: Dropped) {
        let counter = match why {
            Dropped::Malformed => &mut self.malformed,
            Dropped::BadChecksum => &mut self.bad_checksums,
            Dropped::Fragment => &mut self.fragments,
            Dropped::OtherStation => &mut self.other_stations,
            Dropped::OtherAddress => &mut self.other_addresses,
            Dropped::BadSource => &mut self.bad_sources,
            Dropped::UnknownProtocol => &mut self.unknown_protocols,
        };
        *counter += 1;
    }
}
