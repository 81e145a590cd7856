//! Ports of the host.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use crate::Forward;

/// How many connections the host's kernel keeps for a listener that does not accept; it may have a smaller limit of its own
/// (net.core.somaxconn).
const BACKLOG: i32 = 1024;

/// A port of 127.0.0.1 that is listened on, but not served yet.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: TcpListener,
    forward: Forward,
}

impl Listener {
    /// Takes the host's port. Clients can connect from now on, and are served once the listener is given to a gateway.
    ///
    /// # Errors
    ///
    /// The host's: mostly that the port is in use, or not for this user.
    pub fn bind(forward: Forward) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, forward.host))?;
        socket.set_nonblocking(true)?;
        rustix::net::listen(&socket, BACKLOG)?;
        let host = socket.local_addr()?.port();
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
