//! What the client needs of the network.

use core::fmt;

use morgana_http::{Read, Write};

/// The service cannot be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectFailed;

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot connect")
    }
}

impl core::error::Error for ConnectFailed {}

/// How the service is connected to: by the stack of a domain, the sockets of a Linux host, or streams of a test.
pub trait Connect {
    /// A connection.
    type Stream: Read + Write;

    /// Connects. The caller drops the future when it has waited long enough.
    ///
    /// # Errors
    ///
    /// [`ConnectFailed`].
    async fn connect(&self) -> Result<Self::Stream, ConnectFailed>;
}
