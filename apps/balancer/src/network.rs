//! What the balancer needs of the network, and of the clock on the wall.

use core::net::SocketAddr;

use morgana_http::{Read, Write};

/// A back end cannot be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectFailed;

impl core::fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("cannot connect")
    }
}

impl core::error::Error for ConnectFailed {}

/// How back ends are connected to: the stack of a domain, the sockets of a Linux host, or streams of a test.
pub trait Network: 'static {
    /// A connection.
    type Stream: Read + Write + 'static;

    /// Connects. The caller drops the future when it has waited long enough.
    ///
    /// # Errors
    ///
    /// [`ConnectFailed`].
    async fn connect(&self, to: SocketAddr) -> Result<Self::Stream, ConnectFailed>;

    /// Seconds since 1970, if there is a clock on the wall.
    fn unix_seconds(&self) -> Option<u64>;
}
