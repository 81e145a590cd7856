//! What can be chosen for a connection.

use core::time::Duration;

/// What can be chosen for any connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpOptions {
    /// How long the peer may be silent when it owes an answer, before the connection is given up (120 s; RFC 1122 section 4.2.3.5 wants 100 s
    /// at least). An idle connection waits for ever: idleness is the application's to judge.
    pub give_up_after: Duration,
    /// Ask an idle peer that often whether it is still there (`None`: never). Such a connection keeps its buffers when idle.
    pub keep_alive: Option<Duration>,
    /// How long a connection whose stream has been dropped may take to deliver what is left and to close, before it is reset (30 s).
    pub linger: Duration,
    /// Whether small segments wait for each other (Nagle, RFC 9293 section 3.7.4).
    pub coalesce: Coalesce,
    /// Buffers of its own, for a connection that moves much (`None`: those that [`Limits`](crate::Limits) says). A quarter of the memory
    /// for buffers is for these: of what is left of it, a connection gets as much as it asks for, or half of that, and so on.
    pub buffers: Option<Buffers>,
}

/// The buffers of a connection, in bytes. What does not fit into them waits, here or at the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffers {
    /// For what is received, and so the window. With more than 65,535 bytes the connection keeps its buffers when idle.
    pub receive: u32,
    /// For what is sent and not yet acknowledged.
    pub transmit: u32,
}

impl Buffers {
    /// For a stream of bulk data over a link that takes large TCP frames: four of them. On Xen more are slower (`cargo xtask bench net`).
    pub const BULK: Self = Self {
        receive: 262_144,
        transmit: 262_144,
    };
}

/// Whether small segments wait for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Coalesce {
    /// They do not (the default): what is written within one pass of the run loop goes out together anyway.
    #[default]
    Never,
    /// A small segment waits until everything before it has been acknowledged.
    UntilAcknowledged,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            give_up_after: Duration::from_secs(120),
            keep_alive: None,
            linger: Duration::from_secs(30),
            coalesce: Coalesce::Never,
            buffers: None,
        }
    }
}

/// What can be chosen for a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListenOptions {
    /// How many connections may be in their handshake or wait to be accepted (32). Beyond, SYNs are answered with SYN cookies, which take
    /// no memory; when as many wait to be accepted, SYNs and cookies are ignored, so that peers try again.
    pub backlog: usize,
    /// For the connections accepted.
    pub tcp: TcpOptions,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            backlog: 32,
            tcp: TcpOptions::default(),
        }
    }
}

/// What can be chosen for `connect`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectOptions {
    /// How long the peer may take to accept (20 s).
    pub timeout: Duration,
    /// For the connection.
    pub tcp: TcpOptions,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            tcp: TcpOptions::default(),
        }
    }
}
