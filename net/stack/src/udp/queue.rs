//! The sockets' queues.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::Waker;

use morgana_exec::SmallMap;
use morgana_hal::Instant;
use smoltcp::iface::SocketSet;

use super::egress::sender;
use super::socket::UdpOptions;
use crate::stats::Stats;

/// A datagram that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) remote: SocketAddr,
    pub(crate) local: IpAddr,
    pub(crate) data: Vec<u8>,
}

/// A datagram that is to leave.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) remote: SocketAddr,
    pub(crate) local: Option<IpAddr>,
    pub(crate) data: Vec<u8>,
    /// Until when it is tried, once its destination has not answered on the link.
    pub(crate) until: Option<Instant>,
    /// When it may be tried again.
    pub(crate) not_before: Instant,
}

/// One socket.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) options: UdpOptions,
    pub(crate) arrived: VecDeque<Arrived>,
    pub(crate) arrived_bytes: usize,
    pub(crate) leaving: VecDeque<Leaving>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    /// Whether it stands in [`Udp::ready`].
    pub(crate) queued: bool,
}

/// All of UDP.
#[derive(Debug)]
pub(crate) struct Udp {
    pub(crate) sockets: SmallMap<u16, Bound>,
    /// Ports with datagrams to send, each once.
    pub(crate) ready: VecDeque<u16>,
    /// One smoltcp socket with room for one datagram, through which all are sent.
    pub(crate) sender: SocketSet<'static>,
    pub(crate) ip_mtu: usize,
    /// When the earliest of the datagrams that wait may be tried again.
    pub(crate) retry_at: Option<Instant>,
}

impl Udp {
    pub(crate) fn new(ip_mtu: usize) -> Self {
        Self {
            sockets: SmallMap::new(),
            ready: VecDeque::new(),
            sender: sender(ip_mtu),
            ip_mtu,
            retry_at: None,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.retry_at
    }

    /// A datagram has arrived. False if there is no socket for it.
    pub(crate) fn receive(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        payload: &[u8],
        stats: &mut Stats,
    ) -> bool {
        let Some(bound) = self.sockets.get_mut(&local.port()) else {
            return false;
        };
        let bytes = bound.arrived_bytes + payload.len();
        if bound.arrived.len() >= bound.options.receive_datagrams
            || bytes > bound.options.receive_bytes
        {
            stats.udp_queue_full += 1;
            return true;
        }
        stats.udp_received += 1;
        bound.arrived_bytes = bytes;
        bound.arrived.push_back(Arrived {
            remote,
            local: local.ip(),
            data: payload.to_vec(),
        });
        if let Some(reader) = bound.reader.take() {
            reader.wake();
        }
        true
    }

    /// A socket has something to send.
    pub(crate) fn make_ready(&mut self, port: u16) {
        if let Some(bound) = self.sockets.get_mut(&port)
            && !core::mem::replace(&mut bound.queued, true)
        {
            self.ready.push_back(port);
        }
    }

    /// A neighbour has told its address: what waits may be tried again.
    pub(crate) fn unblock(&mut self) {
        if self.retry_at.take().is_none() {
            return;
        }
        for bound in self.sockets.values_mut() {
            for leaving in &mut bound.leaving {
                leaving.not_before = Instant::ZERO;
            }
        }
        self.retry_all();
    }

    /// Looks at all sockets that have something to send.
    pub(crate) fn retry_all(&mut self) {
        for (port, bound) in self.sockets.iter_mut() {
            if !bound.leaving.is_empty() && !core::mem::replace(&mut bound.queued, true) {
                self.ready.push_back(*port);
            }
        }
    }
}
