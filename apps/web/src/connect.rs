//! Connecting over a domain's network stack.

use core::net::SocketAddr;

use morgana::net::{ConnectOptions, Stack, TcpStream};
use morgana_http::{Connect, ConnectFailed};

/// A domain's network stack, for clients of HTTP.
#[derive(Clone, Debug)]
pub struct ByStack(pub Stack);

impl Connect for ByStack {
    type Stream = TcpStream;

    async fn connect(&self, to: SocketAddr) -> Result<TcpStream, ConnectFailed> {
        let connecting = TcpStream::connect(&self.0, to, ConnectOptions::default());
        connecting.await.map_err(|_| ConnectFailed)
    }
}
