//! The stack's state, and one pass over it. Time is an argument, and nothing here waits.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::Ipv6Addr;
use core::time::Duration;

use morgana_exec::Waiters;
use morgana_hal::Instant;
use morgana_net_device::{
    Device, Offload, RxFrame, RxMeta, SplitMix, TxMeta, TxSlot, blank_or_complete,
};
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::DeviceCapabilities;
use smoltcp::wire::EthernetAddress;

use crate::address::Addresses;
use crate::config::{AddressConfig, Ipv4Config, Ipv6Config};
use crate::configure::Again;
use crate::dhcp::Dhcp;
use crate::frame::{Class, ETHERNET, Own, classify};
use crate::hash::SipKey;
use crate::limits::Limits;
use crate::ndp;
use crate::neighbors::{self, Asked};
use crate::phy::{self, Ingress, Reply};
use crate::slaac::Slaac;
use crate::stats::Stats;
use crate::tcp::{Phantom, Room, Tcp};
use crate::time::instant_to_smoltcp;
use crate::udp::Udp;

/// How many frames of our own making (announcements, questions) wait for room in the device. The oldest is dropped beyond.
const OUTBOX: usize = 8 + neighbors::MOST;

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
    pub(crate) dhcp: Option<Dhcp>,
    pub(crate) slaac: Option<Slaac>,
    pub(crate) addresses: Addresses,
    /// The addresses in [`Self::addresses`], as a slice.
    pub(crate) own_ipv6: Vec<Ipv6Addr>,
    pub(crate) address_waiters: Waiters,
    outbox: VecDeque<Vec<u8>>,
    pub(crate) asked: Asked,
    pub(crate) again: Again,
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
            asked: Asked::default(),
            again: Again::NotWanted,
            reply,
            stats: Stats::default(),
            limits,
            secret: SipKey::new(seed),
            random,
        };
        engine.set_addresses(crate::configure::initial(config, device.mac.0));
        engine
    }

    /// Queues a frame of our own making.
    pub(crate) fn post(&mut self, frame: Vec<u8>) {
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
        // What came in is answered by others, as a rule at once: their answers go before the device is asked to tell of more.
        let more = taken > 0 || (room == Room::Enough && self.tcp.ready() > 0);
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
        let again = self.again.deadline();
        [
            self.tcp.next_deadline(),
            self.udp.deadline(),
            dhcp,
            slaac,
            again,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// One received frame. The answer to it, if there is one, is left in [`Self::reply`].
    pub(crate) fn receive(&mut self, frame: &mut [u8], meta: RxMeta, now: Instant) {
        self.stats.frames_received += 1;
        self.stats.bytes_received += frame.len() as u64;
        self.stats.large_received += u64::from(meta.segmentation.is_some());
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
        let fits = self.reply.bytes.len() <= self.ip_mtu + ETHERNET;
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
            // What these two had to ask.
            self.send_outbox(device),
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
                TxMeta::default()
            });
        }
        Room::Enough
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

/// Completes a frame of our own making, which is no TCP or UDP, for [`Reply::build`].
pub(crate) fn own_frame(frame: &mut [u8]) -> TxMeta {
    blank_or_complete(frame, Offload::None).into()
}
