//! A listening socket.

use core::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener};

use morgana_reactor::{Direction, Source};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};

use crate::{Host, Stream};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    source: Source<TcpListener>,
    host: Host,
}

impl Listener {
    /// Listens at an address; at port 0, at one that is free.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn bind(host: &Host, address: SocketAddr) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &address)?;
        listen(&socket, BACKLOG)?;
        Ok(Self {
            source: host.reactor().register(TcpListener::from(socket))?,
            host: host.clone(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.io().local_addr()
    }

    /// Waits for a connection.
    ///
    /// # Errors
    ///
    /// The kernel's, if there is no descriptor left or if the connection has broken already. There may be others later.
    pub async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        let accepted = poll_fn(|cx| {
            self.source
                .poll_io(Direction::Read, cx, TcpListener::accept)
        })
        .await;
        let (socket, peer) = accepted?;
        Ok((Stream::over(&self.host, socket)?, peer))
    }
}
