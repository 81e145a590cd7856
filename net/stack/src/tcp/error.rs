//! What can go wrong with TCP.

use core::fmt;

use embedded_io_async::ErrorKind;

/// Why a stream cannot be read or written any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpError {
    /// The peer reset the connection.
    Reset,
    /// The peer did not acknowledge for as long as [`TcpOptions::give_up_after`](crate::TcpOptions::give_up_after).
    TimedOut,
    /// The own address, which the connection used, is no longer ours.
    AddressLost,
    /// This side has closed the direction, or the whole connection, already.
    Closed,
}

impl fmt::Display for TcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reset => "the peer reset the connection",
            Self::TimedOut => "the peer did not answer in time",
            Self::AddressLost => "the connection's own address is no longer ours",
            Self::Closed => "this side has closed the connection",
        })
    }
}

impl core::error::Error for TcpError {}

impl embedded_io_async::Error for TcpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Reset => ErrorKind::ConnectionReset,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::AddressLost => ErrorKind::AddrNotAvailable,
            Self::Closed => ErrorKind::BrokenPipe,
        }
    }
}

/// Why a connection could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// The remote address is not one that can be connected to, or its port is 0.
    BadAddress,
    /// The stack has no address of that kind, or no way there.
    NoRoute,
    /// The peer refused.
    Refused,
    /// The peer did not answer for as long as [`ConnectOptions::timeout`](crate::ConnectOptions::timeout).
    TimedOut,
    /// All ports of [`Limits::ephemeral_ports`](crate::Limits::ephemeral_ports) have connections to that remote end.
    PortsExhausted,
    /// There are [`Limits::connections`](crate::Limits::connections) already.
    TooManyConnections,
    /// [`Limits::buffer_memory`](crate::Limits::buffer_memory) is in use.
    NoMemory,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAddress => "the remote address cannot be connected to",
            Self::NoRoute => "there is no way to that address",
            Self::Refused => "the peer refused the connection",
            Self::TimedOut => "the peer did not answer in time",
            Self::PortsExhausted => "all local ports are in use for that remote end",
            Self::TooManyConnections => "there are too many connections",
            Self::NoMemory => "the memory for connections' buffers is in use",
        })
    }
}

impl core::error::Error for ConnectError {}

/// Why a port could not be listened on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListenError {
    /// Port 0 is none.
    BadPort,
    /// There is a listener on that port already.
    PortInUse,
    /// There are [`Limits::listeners`](crate::Limits::listeners) already.
    TooManyListeners,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadPort => "port 0 cannot be listened on",
            Self::PortInUse => "the port is being listened on already",
            Self::TooManyListeners => "there are too many listeners",
        })
    }
}

impl core::error::Error for ListenError {}
