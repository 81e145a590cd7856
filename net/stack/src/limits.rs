//! The stack's limits, with their defaults.

use core::ops::RangeInclusive;

/// How much of everything there can be. What happens at each limit stands beside it; `Stats` counts it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// TCP connections, half-open and closing ones included (1,024). A SYN beyond is dropped, so the peer tries again; `connect` fails.
    pub connections: usize,
    /// TCP listeners (16). `TcpListener::bind` fails beyond.
    pub listeners: usize,
    /// UDP sockets (64). `UdpSocket::bind` fails beyond.
    pub udp_sockets: usize,
    /// Bytes for the buffers of connections that are not parked (3 MiB). When half is in use, quiescent connections are parked to make
    /// room; where none is quiescent, [`small_receive`](Self::small_receive) and [`small_transmit`](Self::small_transmit) apply; when all
    /// is in use, segments wait for their retransmission and writes wait.
    pub buffer_memory: usize,
    /// A connection's receive buffer, and so its window, in bytes (8,192; at most 65,535).
    pub receive_buffer: usize,
    /// A connection's transmit buffer, in bytes (16,384).
    pub transmit_buffer: usize,
    /// The receive buffer when memory is short (1,024).
    pub small_receive: usize,
    /// The transmit buffer when memory is short (2,048).
    pub small_transmit: usize,
    /// Connections in TIME-WAIT that are remembered (512). The oldest is forgotten beyond; its peer would get a reset.
    pub time_wait: usize,
    /// Ports that `connect` and `bind` to port 0 choose from (49152–65535, RFC 6335 section 6). They fail when all are in use.
    pub ephemeral_ports: RangeInclusive<u16>,
    /// Frames taken from the device in one pass (64). The rest waits for the next pass.
    pub frames_a_pass: usize,
    /// Segments that one connection sends before it is another's turn (16).
    pub segments_a_turn: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            listeners: 16,
            udp_sockets: 64,
            buffer_memory: 3 << 20,
            receive_buffer: 8192,
            transmit_buffer: 16384,
            small_receive: 1024,
            small_transmit: 2048,
            time_wait: 512,
            ephemeral_ports: 49152..=65535,
            frames_a_pass: 64,
            segments_a_turn: 16,
        }
    }
}
