//! How connections are made.

use core::net::SocketAddr;

use embedded_io_async::{Read, Write};

/// What connects: the stack of a domain, the sockets of a Linux host, or streams of a test.
pub trait Connect: 'static {
    /// A connection.
    type Stream: Read + Write + 'static;

    /// Connects. Who has waited long enough drops the future.
    ///
    /// # Errors
    ///
    /// [`ConnectFailed`].
    async fn connect(&self, to: SocketAddr) -> Result<Self::Stream, ConnectFailed>;
}

/// A server cannot be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectFailed;

impl core::fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("cannot connect")
    }
}

impl core::error::Error for ConnectFailed {}
