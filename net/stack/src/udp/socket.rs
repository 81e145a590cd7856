//! A UDP socket.

use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use morgana_hal::Instant;

use super::queue::{Bound, Leaving};
use crate::stack::{Shared, Stack};

/// The bytes of an IPv4 or IPv6 header and a UDP header.
const HEADERS: [usize; 2] = [28, 48];

/// What can be chosen for a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpOptions {
    /// How many datagrams wait to be received (64). A further one is dropped and counted.
    pub receive_datagrams: usize,
    /// How many bytes wait to be received (65,536). What would exceed them is dropped and counted.
    pub receive_bytes: usize,
    /// How many datagrams wait to be sent (32). Sending a further one waits.
    pub send_datagrams: usize,
}

impl Default for UdpOptions {
    fn default() -> Self {
        Self {
            receive_datagrams: 64,
            receive_bytes: 65_536,
            send_datagrams: 32,
        }
    }
}

/// What can go wrong with UDP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UdpError {
    /// There is a socket on that port already, or all ephemeral ports have one.
    PortInUse,
    /// There are [`Limits::udp_sockets`](crate::Limits::udp_sockets) already.
    TooManySockets,
    /// The remote address is unspecified, or its port is 0.
    BadAddress,
    /// The stack has no address of that kind, or no way there.
    NoRoute,
    /// The datagram is longer than the link's packets: there is no fragmentation.
    TooLong,
}

impl fmt::Display for UdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PortInUse => "the port is in use",
            Self::TooManySockets => "there are too many UDP sockets",
            Self::BadAddress => "the remote address cannot be sent to",
            Self::NoRoute => "there is no way to that address",
            Self::TooLong => "the datagram does not fit into one packet",
        })
    }
}

impl core::error::Error for UdpError {}

/// A datagram that was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received {
    /// The datagram's length. If it exceeds the buffer's, the rest is lost.
    pub len: usize,
    /// Who sent it.
    pub remote: SocketAddr,
    /// To which of our addresses, or to which group's.
    pub local: IpAddr,
}

/// A UDP socket, which receives on all addresses.
pub struct UdpSocket {
    shared: Rc<Shared>,
    port: u16,
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl UdpSocket {
    /// A socket on a port; port 0 means any of the ephemeral ones.
    ///
    /// # Errors
    ///
    /// [`UdpError::PortInUse`] and [`UdpError::TooManySockets`].
    pub fn bind(stack: &Stack, port: u16, options: UdpOptions) -> Result<Self, UdpError> {
        let mut engine = stack.shared.engine.borrow_mut();
        if engine.udp.sockets.len() >= engine.limits.udp_sockets {
            return Err(UdpError::TooManySockets);
        }
        let port = if port == 0 {
            engine
                .free_port(|engine, port| (!engine.udp.sockets.contains_key(&port)).then_some(port))
                .ok_or(UdpError::PortInUse)?
        } else {
            port
        };
        if engine.udp.sockets.contains_key(&port) {
            return Err(UdpError::PortInUse);
        }
        let bound = Bound {
            options,
            ..Bound::default()
        };
        engine.udp.sockets.insert(port, bound);
        drop(engine);
        Ok(Self {
            shared: stack.shared.clone(),
            port,
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for a datagram and copies as much of it as fits into `buf`.
    pub async fn recv_from(&self, buf: &mut [u8]) -> Received {
        poll_fn(|cx| self.poll_recv(cx, buf)).await
    }

    /// As [`recv_from`](Self::recv_from).
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Received> {
        let mut engine = self.shared.engine.borrow_mut();
        // This socket made the entry, and only its end removes it.
        let Some(bound) = engine.udp.sockets.get_mut(&self.port) else {
            return Poll::Pending;
        };
        let Some(arrived) = bound.arrived.pop_front() else {
            bound.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        bound.arrived_bytes -= arrived.data.len();
        let fits = arrived.data.len().min(buf.len());
        buf[..fits].copy_from_slice(&arrived.data[..fits]);
        Poll::Ready(Received {
            len: arrived.data.len(),
            remote: arrived.remote,
            local: arrived.local,
        })
    }

    /// Queues a datagram, waiting for room in the queue.
    ///
    /// # Errors
    ///
    /// [`UdpError::BadAddress`], [`UdpError::NoRoute`] and [`UdpError::TooLong`].
    pub async fn send_to(&self, data: &[u8], remote: SocketAddr) -> Result<(), UdpError> {
        poll_fn(|cx| self.poll_send(cx, data, remote, None)).await
    }

    /// Queues the answer to a datagram, from the address that it was sent to; otherwise as [`send_to`](Self::send_to).
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    pub async fn reply(&self, data: &[u8], to: &Received) -> Result<(), UdpError> {
        poll_fn(|cx| self.poll_send(cx, data, to.remote, Some(to.local))).await
    }

    /// As [`send_to`](Self::send_to), or as [`reply`](Self::reply) if `local` is given and one of our own addresses.
    pub fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
        remote: SocketAddr,
        local: Option<IpAddr>,
    ) -> Poll<Result<(), UdpError>> {
        let mut engine = self.shared.engine.borrow_mut();
        if remote.port() == 0 || remote.ip().is_unspecified() || remote.ip().is_loopback() {
            return Poll::Ready(Err(UdpError::BadAddress));
        }
        if engine.source_for(remote.ip()).is_none() {
            return Poll::Ready(Err(UdpError::NoRoute));
        }
        if data.len() + HEADERS[usize::from(remote.is_ipv6())] > engine.ip_mtu {
            return Poll::Ready(Err(UdpError::TooLong));
        }
        let local = local.filter(|local| engine.is_own(*local));
        let Some(bound) = engine.udp.sockets.get_mut(&self.port) else {
            return Poll::Pending;
        };
        if bound.leaving.len() >= bound.options.send_datagrams {
            bound.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        bound.leaving.push_back(Leaving {
            remote,
            local,
            data: data.to_vec(),
            until: None,
            not_before: Instant::ZERO,
        });
        engine.udp.make_ready(self.port);
        drop(engine);
        self.shared.work.notify();
        Poll::Ready(Ok(()))
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.shared
            .engine
            .borrow_mut()
            .udp
            .sockets
            .remove(&self.port);
    }
}
