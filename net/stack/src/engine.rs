//! The stack's state, and one pass over it. Time is an argument, and nothing here waits.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use morgana_exec::Waiters;
use morgana_hal::Instant;
use morgana_net_device::{
    Device, Offload, RxFrame, RxMeta, SplitMix, TxChecksum, TxMeta, TxSlot, blank_or_complete,
};
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::DeviceCapabilities;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, Ipv4Cidr, Ipv6Cidr};

use crate::address::Addresses;
use crate::config::{AddressConfig, Ipv4Config, Ipv6Config};
use crate::dhcp::Dhcp;
use crate::frame::{Class, Own, classify};
use crate::hash::SipKey;
use crate::limits::Limits;
use crate::ndp;
use crate::phy::{self, Ingress, Reply};
use crate::slaac::Slaac;
use crate::stats::Stats;
use crate::tcp::{Phantom, Room, Tcp};
use crate::time::instant_to_smoltcp;
use crate::udp::Udp;

/// How many frames of our own making (announcements, solicitations) wait for room in the device. The oldest is dropped beyond.
const OUTBOX: usize = 8;

/// The least that a link must carry for IPv6 (RFC 8200 section 5); there is none over one that does not.
const IPV6_MIN_MTU: usize = 1280;

/// How soon is looked at what is due while the device has no room.
const EXHAUSTED: Duration = Duration::from_secs(1);

/// The whole stack but for the device.
pub(crate) struct Engine {
    pub(crate) interface: Interface,
    pub(crate) phantom: Phantom,
    pub(crate) capabilities: DeviceCapabilities,
    pub(crate) offload: Offload,
    pub(crate) mac: [u8; 6],
    pub(crate) ip_mtu: usize,
    /// No sockets, for packets that belong to none.
    nobody: SocketSet<'static>,
    pub(crate) tcp: Tcp,
    pub(crate) udp: Udp,
    dhcp: Option<Dhcp>,
    slaac: Option<Slaac>,
    pub(crate) addresses: Addresses,
    /// The addresses in [`Self::addresses`], as a slice.
    own_ipv6: Vec<Ipv6Addr>,
    pub(crate) address_waiters: Waiters,
    outbox: VecDeque<Vec<u8>>,
    pub(crate) reply: Reply,
    pub(crate) stats: Stats,
    pub(crate) limits: Limits,
    pub(crate) secret: SipKey,
    random: SplitMix,
}

/// What a pass found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pass {
    /// Whether there is more to do at once.
    pub(crate) more: bool,
    /// When there is something to do, if nothing happens before.
    pub(crate) deadline: Option<Instant>,
}

impl Engine {
    pub(crate) fn new(
        device: &morgana_net_device::Capabilities,
        config: &AddressConfig,
        limits: Limits,
        seed: [u64; 2],
        now: Instant,
    ) -> Self {
        let config = &AddressConfig {
            ipv6: if device.ip_mtu < IPV6_MIN_MTU {
                Ipv6Config::Off
            } else {
                config.ipv6
            },
            ..*config
        };
        let mut random = SplitMix::new(seed[0] ^ seed[1].rotate_left(32));
        let capabilities = phy::capabilities(device);
        let mut reply = Reply::default();
        let mut link = Ingress {
            capabilities: &capabilities,
            offload: device.transmit_offload,
            frame: None,
            wire: None,
            reply: &mut reply,
        };
        let mut interface_config = Config::new(EthernetAddress(device.mac.0).into());
        interface_config.random_seed = random.next_u64();
        let interface = Interface::new(interface_config, &mut link, instant_to_smoltcp(now));
        let mut engine = Self {
            interface,
            phantom: Phantom::new(device, random.next_u64()),
            capabilities,
            offload: device.transmit_offload,
            mac: device.mac.0,
            ip_mtu: device.ip_mtu,
            nobody: SocketSet::new(Vec::new()),
            tcp: Tcp::default(),
            udp: Udp::new(device.ip_mtu),
            dhcp: matches!(config.ipv4, Ipv4Config::Dhcp).then(Dhcp::new),
            slaac: matches!(config.ipv6, Ipv6Config::Auto).then(|| Slaac::new(now)),
            addresses: Addresses::default(),
            own_ipv6: Vec::new(),
            address_waiters: Waiters::new(),
            outbox: VecDeque::new(),
            reply,
            stats: Stats::default(),
            limits,
            secret: SipKey::new(seed),
            random,
        };
        engine.set_addresses(initial(config, device.mac.0));
        engine
    }

    /// Takes new addresses into use, and announces them to the link.
    pub(crate) fn set_addresses(&mut self, new: Addresses) {
        if new == self.addresses {
            return;
        }
        let old = core::mem::replace(&mut self.addresses, new);
        let ipv4 = new
            .ipv4
            .map(|cidr| IpCidr::Ipv4(Ipv4Cidr::new(cidr.address, cidr.prefix)));
        let ipv6 = new
            .ipv6
            .into_iter()
            .flatten()
            .map(|cidr| IpCidr::Ipv6(Ipv6Cidr::new(cidr.address, cidr.prefix)));
        self.interface.update_ip_addrs(|list| {
            list.clear();
            // The list has room for one IPv4 and all IPv6 addresses.
            list.extend(ipv4.into_iter().chain(ipv6).take(list.capacity()));
        });
        let routes = self.interface.routes_mut();
        // Both fit: the table has room for four, and nobody else uses it.
        routes.remove_default_ipv4_route();
        routes.remove_default_ipv6_route();
        if let Some(gateway) = new.ipv4_gateway {
            let _ = routes.add_default_ipv4_route(gateway);
        }
        if let Some(gateway) = new.ipv6_gateway {
            let _ = routes.add_default_ipv6_route(gateway);
        }
        self.own_ipv6 = new.ipv6.iter().flatten().map(|cidr| cidr.address).collect();
        if let Some(cidr) = new.ipv4
            && old.ipv4 != new.ipv4
        {
            self.post(ndp::arp_announcement(self.mac, cidr.address));
        }
        for cidr in new.ipv6.iter().flatten() {
            if !old.ipv6.contains(&Some(*cidr)) {
                self.post(ndp::announcement(self.mac, cidr.address));
            }
        }
        self.tcp.unblock();
        self.address_waiters.wake_all();
    }

    /// Queues a frame of our own making.
    fn post(&mut self, frame: Vec<u8>) {
        if self.outbox.len() >= OUTBOX {
            self.outbox.pop_front();
        }
        self.outbox.push_back(frame);
    }

    /// One pass: takes what the device has received, sends what there is to be sent, and flushes the device.
    pub(crate) fn pass<D: Device>(&mut self, device: &mut D, now: Instant) -> Pass {
        let mut taken = 0;
        while taken < self.limits.frames_a_pass {
            let Some(mut frame) = device.receive() else {
                break;
            };
            taken += 1;
            let meta = frame.meta();
            self.receive(frame.bytes(), meta, now);
            drop(frame);
            self.send_reply(device);
        }
        let room = self.send(device, now);
        device.flush();
        let more =
            taken == self.limits.frames_a_pass || (room == Room::Enough && self.tcp.ready() > 0);
        let deadline = self.deadline(now);
        Pass {
            more,
            deadline: match room {
                Room::Enough => deadline,
                // What is due waits for the device, which tells by itself when it has room.
                Room::Exhausted => deadline.map(|at| at.max(now + EXHAUSTED)),
            },
        }
    }

    fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let dhcp = self
            .dhcp
            .as_ref()
            .and_then(|dhcp| dhcp.deadline(&mut self.interface, now));
        let slaac = self.slaac.as_ref().and_then(Slaac::deadline);
        [self.tcp.next_deadline(), self.udp.deadline(), dhcp, slaac]
            .into_iter()
            .flatten()
            .min()
    }

    /// One received frame. The answer to it, if there is one, is left in [`Self::reply`].
    pub(crate) fn receive(&mut self, frame: &mut [u8], meta: RxMeta, now: Instant) {
        self.stats.frames_received += 1;
        self.stats.bytes_received += frame.len() as u64;
        let own = Own {
            mac: self.mac,
            ipv4: self.addresses.ipv4,
            ipv6: &self.own_ipv6,
        };
        match classify(frame, meta.checksum, &own) {
            Err(why) => self.stats.drop_frame(why),
            Ok(Class::Arp | Class::Neighbor) => {
                self.feed_interface(frame, now);
                self.tcp.unblock();
                self.udp.unblock();
            }
            Ok(Class::Solicitation {
                target,
                from,
                from_mac,
            }) => ndp::answer(&mut self.reply, self.mac, target, from, from_mac),
            Ok(Class::Router { router, message }) => {
                if let Some(slaac) = &mut self.slaac {
                    slaac.advertisement(router, frame, message, now);
                }
            }
            Ok(Class::Other) => self.feed_interface(frame, now),
            Ok(Class::Dhcp) => {
                if let Some(dhcp) = &mut self.dhcp {
                    let mut link = Ingress {
                        capabilities: &self.capabilities,
                        offload: self.offload,
                        frame: Some(frame),
                        wire: None,
                        reply: &mut self.reply,
                    };
                    dhcp.receive(&mut self.interface, &mut link, now);
                }
            }
            Ok(Class::Udp {
                local,
                remote,
                payload: (start, end),
            }) => {
                if let Some(payload) = frame.get(start..end)
                    && !self.udp.receive(local, remote, payload, &mut self.stats)
                {
                    self.stats.udp_strays += 1;
                    // smoltcp answers that there is no such port, but it would answer what was sent to a group as well.
                    if self.is_own(local.ip()) {
                        self.feed_interface(frame, now);
                    }
                }
            }
            Ok(Class::Tcp(segment)) => self.segment(&segment, frame, now),
        }
    }

    /// Gives a frame to smoltcp as one that belongs to no socket.
    pub(crate) fn feed_interface(&mut self, frame: &[u8], now: Instant) {
        let mut link = Ingress {
            capabilities: &self.capabilities,
            offload: self.offload,
            frame: Some(frame),
            wire: None,
            reply: &mut self.reply,
        };
        self.interface
            .poll_ingress_single(instant_to_smoltcp(now), &mut link, &mut self.nobody);
    }

    fn send_reply<D: Device>(&mut self, device: &mut D) {
        let Some(meta) = self.reply.meta.take() else {
            return;
        };
        let fits = self.reply.bytes.len() <= self.capabilities.max_transmission_unit;
        match device.transmit().filter(|_| fits) {
            Some(slot) => {
                self.stats.frames_sent += 1;
                self.stats.bytes_sent += self.reply.bytes.len() as u64;
                slot.send(self.reply.bytes.len(), |frame| {
                    frame.copy_from_slice(&self.reply.bytes);
                    meta
                });
            }
            None => self.stats.replies_without_room += 1,
        }
    }

    fn send<D: Device>(&mut self, device: &mut D, now: Instant) -> Room {
        // Each gets its turn even when there is no room, because addresses expire, and connections are given up.
        let rooms = [
            self.configure(device, now),
            self.send_outbox(device),
            self.send_datagrams(device, now),
            self.send_segments(device, now),
        ];
        if rooms.contains(&Room::Exhausted) {
            Room::Exhausted
        } else {
            Room::Enough
        }
    }

    fn send_outbox<D: Device>(&mut self, device: &mut D) -> Room {
        while let Some(frame) = self.outbox.pop_front() {
            let Some(slot) = device.transmit() else {
                self.outbox.push_front(frame);
                return Room::Exhausted;
            };
            self.stats.frames_sent += 1;
            self.stats.bytes_sent += frame.len() as u64;
            slot.send(frame.len(), |memory| {
                memory.copy_from_slice(&frame);
                TxMeta {
                    checksum: TxChecksum::Complete,
                }
            });
        }
        Room::Enough
    }

    /// Lets DHCP and SLAAC do what they have to.
    fn configure<D: Device>(&mut self, device: &mut D, now: Instant) -> Room {
        let mut room = Room::Enough;
        if let Some(dhcp) = &mut self.dhcp {
            let mut egress = phy::Egress {
                device,
                capabilities: &self.capabilities,
                offload: self.offload,
                wire: None,
                stats: &mut self.stats,
                exhausted: false,
            };
            let change = dhcp.send(&mut self.interface, &mut egress, now);
            if egress.exhausted {
                room = Room::Exhausted;
            }
            if let Some(lease) = change {
                let mut new = self.addresses;
                lease.apply(&mut new);
                self.set_addresses(new);
            }
        }
        if let Some(slaac) = &mut self.slaac {
            let solicits = slaac.tick(now);
            let mut new = self.addresses;
            slaac.apply(&mut new, self.mac);
            if solicits {
                self.post(ndp::router_solicitation(self.mac));
            }
            self.set_addresses(new);
        }
        room
    }

    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.addresses.ipv4.is_some_and(|cidr| cidr.address == v4),
            IpAddr::V6(v6) => self.own_ipv6.contains(&v6),
        }
    }

    /// Whether an address may be that of one other host.
    pub(crate) fn is_host(&self, address: IpAddr) -> bool {
        let edge = match (address, self.addresses.ipv4) {
            (IpAddr::V4(v4), Some(cidr)) if cidr.contains(v4) => !crate::Cidr {
                address: v4,
                ..cidr
            }
            .is_host(),
            (IpAddr::V4(v4), _) => v4.is_broadcast(),
            _ => false,
        };
        !edge
            && !address.is_unspecified()
            && !address.is_multicast()
            && !address.is_loopback()
            && !self.is_own(address)
    }

    /// The own address for packets to that address, if they could be sent.
    pub(crate) fn source_for(&self, remote: IpAddr) -> Option<IpAddr> {
        if !self.addresses.reaches(remote) {
            return None;
        }
        let source: IpAddress = self.interface.get_source_address(&remote.into())?;
        (!source.is_unspecified() && self.is_own(source.into())).then(|| source.into())
    }

    /// Tries the ephemeral ports in turn, from a random one on, until `take` takes one.
    pub(crate) fn free_port<T>(
        &mut self,
        mut take: impl FnMut(&mut Self, u16) -> Option<T>,
    ) -> Option<T> {
        let (first, last) = (
            *self.limits.ephemeral_ports.start(),
            *self.limits.ephemeral_ports.end(),
        );
        let ports = usize::from(last.saturating_sub(first)) + 1;
        let start = self.random.below(ports);
        (0..ports).find_map(|step| {
            let port = first + ((start + step) % ports) as u16;
            take(self, port)
        })
    }
}

/// The addresses before anybody was asked.
fn initial(config: &AddressConfig, mac: [u8; 6]) -> Addresses {
    let mut addresses = Addresses {
        dns: config.dns,
        ..Addresses::default()
    };
    if let Ipv4Config::Static { cidr, gateway } = config.ipv4 {
        addresses.ipv4 = Some(cidr);
        addresses.ipv4_gateway = gateway;
    }
    if config.ipv6 != Ipv6Config::Off {
        addresses.ipv6[0] = Some(ndp::link_local(mac));
    }
    if let Ipv6Config::Static { cidr, gateway } = config.ipv6 {
        addresses.ipv6[1] = Some(cidr);
        addresses.ipv6_gateway = gateway;
    }
    addresses
}

/// Completes a frame of our own making, which is no TCP or UDP, for [`Reply::build`].
pub(crate) fn own_frame(frame: &mut [u8]) -> TxMeta {
    TxMeta {
        checksum: blank_or_complete(frame, Offload::None),
    }
}
