//! Ports for servers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// An address of the loopback whose port is free for both transports. Somebody else may take it before it is used.
///
/// # Errors
///
/// Those of the sockets.
pub fn free_address() -> io::Result<SocketAddr> {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = udp.local_addr()?;
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
}
