//! Ports of the host.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use crate::{Forward, Protocol};

/// How many connections the host's kernel keeps for a listener that does not accept; it may have a smaller limit of its own
/// (net.core.somaxconn).
const BACKLOG: i32 = 1024;

/// A port of 127.0.0.1 that is taken, but not served yet.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: Socket,
    forward: Forward,
}

/// Its socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Listener {
    /// Takes the host's port. Clients can connect, or send, from now on, and are served once the listener is given to a gateway.
    ///
    /// # Errors
    ///
    /// The host's: mostly that the port is in use, or not for this user.
    pub fn bind(forward: Forward) -> io::Result<Self> {
        let wanted = (Ipv4Addr::LOCALHOST, forward.host);
        let (socket, address) = match forward.protocol {
            Protocol::Tcp => {
                let socket = TcpListener::bind(wanted)?;
                socket.set_nonblocking(true)?;
                rustix::net::listen(&socket, BACKLOG)?;
                let address = socket.local_addr()?;
                (Socket::Tcp(socket), address)
            }
            Protocol::Udp => {
                let socket = UdpSocket::bind(wanted)?;
                socket.set_nonblocking(true)?;
                let address = socket.local_addr()?;
                (Socket::Udp(socket), address)
            }
        };
        let host = address.port();
        let forward = Forward { host, ..forward };
        Ok(Self { socket, forward })
    }

    /// The ports; the host's is never 0.
    pub fn forward(&self) -> Forward {
        self.forward
    }
}

/// Accepts a connection.
pub(crate) fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (socket, _): (TcpStream, SocketAddr) = listener.accept()?;
    socket.set_nonblocking(true)?;
    // What the guest sends is sent on at once; it has done its own collecting.
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Closes a connection so that its client learns that something broke.
pub(crate) fn reset(socket: &TcpStream) {
    // An error leaves an ordinary close, which is the next best.
    let _ = rustix::net::sockopt::set_socket_linger(socket, Some(core::time::Duration::ZERO));
}
