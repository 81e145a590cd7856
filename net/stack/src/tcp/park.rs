//! Parking: a quiescent connection gives its buffers back, and gets new ones when something happens.
//!
//! A connection is quiescent when it is established, everything sent has been acknowledged, everything received has been read and
//! acknowledged, and no timer runs. All that matters about it then are two sequence numbers, the peer's window and what the peer said in
//! its SYN, and [`Wire`] remembers these. smoltcp's socket, with its buffers, is dropped.
//!
//! To revive it, a fresh socket is led through a handshake with a phantom of the peer, on an interface of its own that reaches no device:
//! the phantom's SYN names the sequence number before the next that the real peer will use, and all its options. What the fresh socket
//! takes for its own initial sequence number is up to smoltcp; the difference to the real number is added to all its segments from then on.
//!
//! So a thousand idle connections take a few hundred bytes each, and those that talk have buffers of a useful size.

use alloc::vec;
use alloc::vec::Vec;

use morgana_hal::Instant;
use morgana_net_device::Capabilities;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::wire::{HardwareAddress, IpVersion, TcpControl};

use super::connection::{Body, Connection, Lease, Stage, new_socket};
use super::emit::BareSegment;
use super::options::TcpOptions;
use super::table::ConnectionId;
use super::wire::Wire;
use crate::engine::Engine;
use crate::flow::FlowKey;
use crate::time::instant_to_smoltcp;

/// An interface that reaches nobody but a phantom.
pub(crate) struct Phantom {
    interface: Interface,
    link: Link,
}

struct Link {
    capabilities: DeviceCapabilities,
    to_socket: Option<Vec<u8>>,
    from_socket: Option<Vec<u8>>,
}

impl Phantom {
    pub(crate) fn new(device: &Capabilities, random_seed: u64) -> Self {
        let mut capabilities = crate::phy::capabilities(device);
        // Without Ethernet there are no neighbours to resolve.
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = device.ip_mtu;
        let mut link = Link {
            capabilities,
            to_socket: None,
            from_socket: None,
        };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = random_seed;
        let mut interface = Interface::new(config, &mut link, smoltcp::time::Instant::ZERO);
        interface.set_any_ip(true);
        Self { interface, link }
    }

    /// A socket in the state that `wire` remembers; `wire` is told how to translate for it.
    fn revive(
        &mut self,
        flow: &FlowKey,
        wire: &mut Wire,
        lease: Lease,
        options: &TcpOptions,
        now: Instant,
    ) -> Option<SocketSet<'static>> {
        let now = instant_to_smoltcp(now);
        let mut set = new_socket(lease, options);
        let socket: &mut Socket<'_> = set.get_mut(Connection::handle());
        socket
            .connect(self.interface.context(), flow.remote, flow.local)
            .ok()?;
        self.interface.poll_egress(now, &mut self.link, &mut set);
        let initial = sequence(&self.link.from_socket.take()?)?;
        let next = initial.wrapping_add(1);
        let answer = BareSegment {
            from: flow.remote,
            to: flow.local,
            control: TcpControl::Syn,
            sequence: wire.receive_next.wrapping_sub(1),
            acknowledgement: Some(next),
            // The window of a SYN is never shifted (RFC 7323 section 2.2). The next segment brings the real one.
            window: u16::try_from(wire.send_window).unwrap_or(u16::MAX),
            max_segment: Some(wire.max_segment),
            window_scale: wire.window_scale,
            sack_permitted: wire.sack_permitted,
        };
        let mut packet = vec![0; answer.packet_len()];
        answer.emit(&mut packet);
        self.link.to_socket = Some(packet);
        self.interface
            .poll_ingress_single(now, &mut self.link, &mut set);
        // Its acknowledgement goes nowhere, but lets it know what window it has announced.
        self.interface.poll_egress(now, &mut self.link, &mut set);
        self.link.from_socket = None;
        let socket: &mut Socket<'_> = set.get_mut(Connection::handle());
        if socket.state() != State::Established {
            return None;
        }
        wire.resume(next);
        Some(set)
    }
}

/// The sequence number in an IP packet with a TCP segment, as smoltcp builds it.
fn sequence(packet: &[u8]) -> Option<u32> {
    let header = match IpVersion::of_packet(packet).ok()? {
        IpVersion::Ipv4 => 20,
        IpVersion::Ipv6 => 40,
    };
    let bytes = packet.get(header + 4..header + 8)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

impl Device for Link {
    type RxToken<'a> = FromPhantom;
    type TxToken<'a> = ToPhantom<'a>;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(FromPhantom, ToPhantom<'_>)> {
        let packet = self.to_socket.take()?;
        Some((FromPhantom(packet), ToPhantom(&mut self.from_socket)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<ToPhantom<'_>> {
        Some(ToPhantom(&mut self.from_socket))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

pub(crate) struct FromPhantom(Vec<u8>);

impl RxToken for FromPhantom {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

pub(crate) struct ToPhantom<'a>(&'a mut Option<Vec<u8>>);

impl TxToken for ToPhantom<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        f(self.0.insert(vec![0; len]))
    }
}

/// The largest window that is not shifted (RFC 7323 section 2).
const MAX_UNSHIFTED: usize = u16::MAX as usize;

impl Engine {
    /// The buffers of a connection while there is memory.
    pub(crate) fn full_lease(&self) -> Lease {
        Lease {
            receive: self.limits.receive_buffer.min(MAX_UNSHIFTED),
            transmit: self.limits.transmit_buffer,
        }
    }

    /// Buffers for one connection, or `None` if memory is in use.
    pub(crate) fn lease(&mut self, options: &TcpOptions, now: Instant) -> Option<Lease> {
        let full = self.full_lease();
        if let Some(lease) = self.own_lease(options, full) {
            return Some(lease);
        }
        let small = Lease {
            receive: self.limits.small_receive.min(full.receive),
            transmit: self.limits.small_transmit.min(full.transmit),
        };
        loop {
            if self.tcp.memory + full.bytes() <= self.limits.buffer_memory / 2 {
                return Some(full);
            }
            if !self.park_one(now) {
                break;
            }
        }
        (self.tcp.memory + small.bytes() <= self.limits.buffer_memory).then_some(small)
    }

    /// Buffers of the sizes that the options ask for, of a quarter of the memory: halved as often as it takes, unless they become smaller than
    /// everyone's.
    fn own_lease(&self, options: &TcpOptions, full: Lease) -> Option<Lease> {
        let wanted = options.buffers?;
        let mut lease = Lease {
            receive: wanted.receive.max(1) as usize,
            transmit: wanted.transmit.max(1) as usize,
        };
        let room = (self.limits.buffer_memory / 4).saturating_sub(self.tcp.memory);
        while lease.bytes() > room {
            lease.receive = lease.receive.div_ceil(2);
            lease.transmit = lease.transmit.div_ceil(2);
            if lease.bytes() <= full.bytes() {
                return None;
            }
        }
        Some(lease)
    }

    /// Parks a connection that is quiescent, and was not touched since the last time round, if there is one.
    fn park_one(&mut self, now: Instant) -> bool {
        for _ in 0..2 * self.tcp.places() {
            let index = self.tcp.hand;
            self.tcp.hand = (index + 1) % self.tcp.places();
            let Some((id, connection)) = self.tcp.at(index) else {
                continue;
            };
            if core::mem::replace(&mut connection.touched, false) {
                continue;
            }
            if self.park(id, now) {
                return true;
            }
        }
        false
    }

    /// Parks a connection if it is quiescent.
    pub(crate) fn park(&mut self, id: ConnectionId, now: Instant) -> bool {
        let Some(connection) = self.tcp.get(id) else {
            return false;
        };
        if connection.queued
            || connection.closing
            || connection.options.keep_alive.is_some()
            // A window that is shifted cannot be had by a new socket with other buffers.
            || connection.lease.receive > MAX_UNSHIFTED
            || !matches!(connection.stage, Stage::Open | Stage::Queued)
        {
            return false;
        }
        let Body::Live(set) = &mut connection.body else {
            return false;
        };
        let timer = self.interface.poll_at(instant_to_smoltcp(now), set);
        let socket: &mut Socket<'_> = set.get_mut(Connection::handle());
        let quiescent = socket.state() == State::Established
            && socket.send_queue() == 0
            && socket.recv_queue() == 0
            && timer.is_none();
        if !quiescent {
            return false;
        }
        connection.body = Body::Parked;
        let bytes = core::mem::replace(&mut connection.lease, Lease::NONE).bytes();
        self.tcp.set_deadline(id, None);
        self.tcp.release(bytes);
        self.tcp.parked += 1;
        self.stats.tcp_parked += 1;
        true
    }

    /// Gives a parked connection a socket again. False if there is no memory for it.
    pub(crate) fn revive(&mut self, id: ConnectionId, now: Instant) -> bool {
        let Some(mut options) = self.tcp.get(id).map(|connection| connection.options) else {
            return false;
        };
        if let Some(buffers) = &mut options.buffers {
            buffers.receive = buffers.receive.min(MAX_UNSHIFTED as u32);
        }
        let Some(lease) = self.lease(&options, now) else {
            return false;
        };
        let Some(connection) = self.tcp.get(id) else {
            return false;
        };
        let set = self.phantom.revive(
            &connection.flow,
            &mut connection.wire,
            lease,
            &connection.options,
            now,
        );
        let Some(set) = set else {
            return false;
        };
        connection.body = Body::Live(set);
        connection.lease = lease;
        connection.touched = true;
        self.tcp.memory += lease.bytes();
        self.tcp.parked -= 1;
        self.stats.tcp_revived += 1;
        true
    }
}
