//! A peer that sends whatever frames a test likes.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use morgana_exec::{Executor, Handle, ManualClock, Timers};
use morgana_net_device::{
    Device, Offload, PairConfig, PairDevice, RxFrame, TxMeta, TxSlot, blank_or_complete, pair,
};
use morgana_net_stack::{AddressConfig, Limits, Stack, StackConfig};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::*;

use super::MACS;

/// A stack at 10.0.0.2 and fd00::2, and a raw peer at 10.0.0.1 and fd00::1.
pub(crate) struct RawWorld {
    pub(crate) stack: Stack,
    pub(crate) raw: Raw,
    pub(crate) handle: Handle,
    pub(crate) timers: Timers,
}

pub(crate) struct Raw {
    device: PairDevice,
    timers: Timers,
}

pub(crate) const OURS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const THEIRS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const OURS6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const THEIRS6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);

pub(crate) fn run_raw<F>(addresses: &'static str, limits: Limits, test: impl FnOnce(RawWorld) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let clock = ManualClock::default();
    let start = morgana_hal::Instant::from_nanos(5_000_000_000);
    clock.set(start);
    let mut executor = Executor::new();
    executor.turn(start);
    let handle = executor.handle();
    let timers = handle.timers();
    let (ours, theirs) = pair(MACS, PairConfig::default());
    let config = StackConfig {
        addresses: AddressConfig::parse(addresses).unwrap(),
        limits,
        seed: [1, 2],
    };
    let (stack, runner) = Stack::new(theirs, config, &timers);
    handle
        .spawn(async move {
            runner.run().await;
        })
        .unwrap();
    let raw = Raw {
        device: ours,
        timers: timers.clone(),
    };
    let world = RawWorld {
        stack,
        raw,
        handle,
        timers,
    };
    executor.block_on(test(world), &mut clock.idle(), &clock);
}

pub(crate) const STATIC: &str = "ip=10.0.0.2/24 ip6=fd00::2/64";

impl Raw {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let slot = self.device.transmit().expect("room on the wire");
        slot.send(bytes.len(), |frame| {
            frame.copy_from_slice(bytes);
            TxMeta::default()
        });
        self.device.flush();
    }

    /// What has come since, after giving the stack a moment.
    pub(crate) async fn received(&mut self) -> Vec<Vec<u8>> {
        self.timers.sleep(Duration::from_millis(1)).await;
        let mut frames = Vec::new();
        while let Some(mut frame) = self.device.receive() {
            frames.push(frame.bytes().to_vec());
        }
        frames
    }

    /// Sends, and returns what comes back.
    pub(crate) async fn exchange(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.received().await;
        self.send(bytes);
        self.received().await
    }

    /// Lets the stack learn our Ethernet addresses.
    pub(crate) async fn introduce(&mut self) {
        self.exchange(&arp(ArpOperation::Request, OURS, THEIRS))
            .await;
        let solicit = NdiscRepr::NeighborSolicit {
            target_addr: THEIRS6,
            lladdr: Some(EthernetAddress(MACS[0].0).into()),
        };
        let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2);
        self.exchange(&icmp6(OURS6, group, Icmpv6Repr::Ndisc(solicit), 255))
            .await;
    }
}

/// An Ethernet frame from us to the stack, or to a group.
pub(crate) fn ethernet(to: [u8; 6], kind: EthernetProtocol, len: usize) -> Vec<u8> {
    let mut frame = vec![0; 14 + len];
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame);
    ethernet.set_src_addr(EthernetAddress(MACS[0].0));
    ethernet.set_dst_addr(EthernetAddress(to));
    ethernet.set_ethertype(kind);
    frame
}

pub(crate) fn arp(operation: ArpOperation, from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    let repr = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: EthernetAddress(MACS[0].0),
        source_protocol_addr: from,
        target_hardware_addr: EthernetAddress(MACS[1].0),
        target_protocol_addr: to,
    };
    let mut frame = ethernet([0xff; 6], EthernetProtocol::Arp, repr.buffer_len());
    repr.emit(&mut ArpPacket::new_unchecked(&mut frame[14..]));
    frame
}

/// An IP packet with a payload that `fill` writes.
pub(crate) fn ip(
    from: IpAddr,
    to: IpAddr,
    protocol: IpProtocol,
    len: usize,
    hop_limit: u8,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let repr = IpRepr::new(from.into(), to.into(), protocol, len, hop_limit);
    let kind = match from {
        IpAddr::V4(_) => EthernetProtocol::Ipv4,
        IpAddr::V6(_) => EthernetProtocol::Ipv6,
    };
    let group = match to {
        IpAddr::V4(v4) if v4.is_broadcast() => Some([0xff; 6]),
        IpAddr::V4(v4) if v4.is_multicast() => Some([1, 0, 0x5e, 0, 0, 1]),
        IpAddr::V6(v6) if v6.is_multicast() => Some([0x33, 0x33, 0, 0, 0, 1]),
        _ => None,
    };
    let mut frame = ethernet(group.unwrap_or(MACS[1].0), kind, repr.buffer_len());
    repr.emit(&mut frame[14..], &ChecksumCapabilities::default());
    let header = repr.header_len();
    fill(&mut frame[14 + header..]);
    frame
}

pub(crate) fn icmp4(from: Ipv4Addr, to: Ipv4Addr, repr: Icmpv4Repr<'_>) -> Vec<u8> {
    ip(
        from.into(),
        to.into(),
        IpProtocol::Icmp,
        repr.buffer_len(),
        64,
        |payload| {
            repr.emit(
                &mut Icmpv4Packet::new_unchecked(payload),
                &ChecksumCapabilities::default(),
            );
        },
    )
}

pub(crate) fn icmp6(from: Ipv6Addr, to: Ipv6Addr, repr: Icmpv6Repr<'_>, hop_limit: u8) -> Vec<u8> {
    ip(
        from.into(),
        to.into(),
        IpProtocol::Icmpv6,
        repr.buffer_len(),
        hop_limit,
        |payload| {
            repr.emit(
                &from,
                &to,
                &mut Icmpv6Packet::new_unchecked(payload),
                &ChecksumCapabilities::default(),
            );
        },
    )
}

pub(crate) fn udp(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    let mut frame = ip(
        from.ip(),
        to.ip(),
        IpProtocol::Udp,
        8 + data.len(),
        64,
        |payload| {
            let mut packet = UdpPacket::new_unchecked(payload);
            packet.set_src_port(from.port());
            packet.set_dst_port(to.port());
            packet.set_len(8 + data.len() as u16);
            packet.payload_mut().copy_from_slice(data);
        },
    );
    blank_or_complete(&mut frame, Offload::None);
    frame
}

/// A TCP segment.
#[derive(Clone, Copy)]
pub(crate) struct Tcp<'a> {
    pub(crate) control: TcpControl,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: Option<u32>,
    pub(crate) data: &'a [u8],
}

pub(crate) fn tcp(from: SocketAddr, to: SocketAddr, segment: Tcp<'_>) -> Vec<u8> {
    let repr = TcpRepr {
        src_port: from.port(),
        dst_port: to.port(),
        control: segment.control,
        seq_number: TcpSeqNumber(segment.sequence as i32),
        ack_number: segment
            .acknowledgement
            .map(|number| TcpSeqNumber(number as i32)),
        window_len: 60_000,
        window_scale: None,
        max_seg_size: (segment.control == TcpControl::Syn).then_some(1460),
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: segment.data,
    };
    let mut frame = ip(
        from.ip(),
        to.ip(),
        IpProtocol::Tcp,
        repr.buffer_len(),
        64,
        |payload| {
            repr.emit(
                &mut TcpPacket::new_unchecked(payload),
                &from.ip().into(),
                &to.ip().into(),
                &ChecksumCapabilities::default(),
            );
        },
    );
    blank_or_complete(&mut frame, Offload::None);
    frame
}

/// The IPv4 packet in a frame.
pub(crate) fn ipv4_of(frame: &[u8]) -> Option<Ipv4Packet<&[u8]>> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    if ethernet.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    Ipv4Packet::new_checked(&frame[14..]).ok()
}

/// The IPv6 packet in a frame.
pub(crate) fn ipv6_of(frame: &[u8]) -> Option<Ipv6Packet<&[u8]>> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    if ethernet.ethertype() != EthernetProtocol::Ipv6 {
        return None;
    }
    Ipv6Packet::new_checked(&frame[14..]).ok()
}

/// The TCP segment in a frame: control, sequence, acknowledgement, payload.
pub(crate) fn tcp_of(frame: &[u8]) -> Option<(TcpControl, u32, Option<u32>, Vec<u8>)> {
    let (from, to, protocol, payload): (IpAddress, IpAddress, _, _) = match ipv4_of(frame) {
        Some(packet) => {
            let (from, to) = (packet.src_addr(), packet.dst_addr());
            (
                from.into(),
                to.into(),
                packet.next_header(),
                packet.payload(),
            )
        }
        None => {
            let packet = ipv6_of(frame)?;
            let (from, to) = (packet.src_addr(), packet.dst_addr());
            (
                from.into(),
                to.into(),
                packet.next_header(),
                packet.payload(),
            )
        }
    };
    if protocol != IpProtocol::Tcp {
        return None;
    }
    let segment = TcpPacket::new_checked(payload).ok()?;
    let repr = TcpRepr::parse(&segment, &from, &to, &ChecksumCapabilities::default()).ok()?;
    Some((
        repr.control,
        repr.seq_number.0 as u32,
        repr.ack_number.map(|number| number.0 as u32),
        repr.payload.to_vec(),
    ))
}

/// The ICMPv6 message in a frame, and where it goes.
pub(crate) fn icmp6_of(frame: &[u8]) -> Option<(Ipv6Addr, Icmpv6Repr<'_>)> {
    let packet = ipv6_of(frame)?;
    let (from, to) = (packet.src_addr(), packet.dst_addr());
    let payload = packet.payload();
    let message = Icmpv6Packet::new_checked(payload).ok()?;
    let repr = Icmpv6Repr::parse(&from, &to, &message, &ChecksumCapabilities::default()).ok()?;
    Some((to, repr))
}
