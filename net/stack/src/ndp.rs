//! The messages by which hosts on a link find each other, as far as smoltcp leaves them to us (RFC 4861, RFC 5227).

use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    Icmpv6Packet, Icmpv6Repr, IpProtocol, Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscRepr,
};

use crate::Cidr;
use crate::engine::own_frame;
use crate::frame::ETHERNET;
use crate::phy::Reply;

/// All nodes on the link (RFC 4291 section 2.7.1), and its Ethernet group (RFC 2464 section 7).
const ALL_NODES: (Ipv6Addr, [u8; 6]) = (
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
    [0x33, 0x33, 0, 0, 0, 1],
);
/// All routers on the link.
const ALL_ROUTERS: (Ipv6Addr, [u8; 6]) = (
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2),
    [0x33, 0x33, 0, 0, 0, 2],
);

/// The first of the groups in one of which each address is.
const SOLICITED_NODE: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0);

/// The interface identifier made from an Ethernet address (RFC 4291 appendix A).
pub(crate) fn interface_id([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([a ^ 0x02, b, c, 0xff, 0xfe, d, e, f])
}

/// The link-local address (RFC 4291 section 2.5.6).
pub(crate) fn link_local(mac: [u8; 6]) -> Cidr<Ipv6Addr> {
    Cidr {
        address: Ipv6Addr::from_bits(0xfe80_u128 << 112 | u128::from(interface_id(mac))),
        prefix: 64,
    }
}

/// A message, from `from` to `to`.
struct Message<'a> {
    mac: [u8; 6],
    from: Ipv6Addr,
    to: Ipv6Addr,
    to_mac: [u8; 6],
    content: NdiscRepr<'a>,
}

impl Message<'_> {
    fn reprs(&self) -> (Ipv6Repr, Icmpv6Repr<'_>) {
        let icmp = Icmpv6Repr::Ndisc(self.content);
        let ip = Ipv6Repr {
            src_addr: self.from,
            dst_addr: self.to,
            next_header: IpProtocol::Icmpv6,
            payload_len: icmp.buffer_len(),
            // RFC 4861 section 4: so that no router can have passed it on.
            hop_limit: 255,
        };
        (ip, icmp)
    }

    fn len(&self) -> usize {
        let (ip, icmp) = self.reprs();
        ETHERNET + ip.buffer_len() + icmp.buffer_len()
    }

    fn emit(&self, frame: &mut [u8]) {
        let (ip, icmp) = self.reprs();
        let mut ethernet = EthernetFrame::new_unchecked(&mut *frame);
        ethernet.set_src_addr(EthernetAddress(self.mac));
        ethernet.set_dst_addr(EthernetAddress(self.to_mac));
        ethernet.set_ethertype(EthernetProtocol::Ipv6);
        ip.emit(&mut Ipv6Packet::new_unchecked(&mut frame[ETHERNET..]));
        icmp.emit(
            &self.from,
            &self.to,
            &mut Icmpv6Packet::new_unchecked(&mut frame[ETHERNET + ip.buffer_len()..]),
            &ChecksumCapabilities::default(),
        );
    }

    fn frame(&self) -> Vec<u8> {
        let mut frame = vec![0; self.len()];
        self.emit(&mut frame);
        frame
    }
}

/// "Is there a router?"
pub(crate) fn router_solicitation(mac: [u8; 6]) -> Vec<u8> {
    Message {
        mac,
        from: link_local(mac).address,
        to: ALL_ROUTERS.0,
        to_mac: ALL_ROUTERS.1,
        content: NdiscRepr::RouterSolicit {
            lladdr: Some(EthernetAddress(mac).into()),
        },
    }
    .frame()
}

/// "This address is mine", unasked (RFC 4861 section 7.2.6).
pub(crate) fn announcement(mac: [u8; 6], address: Ipv6Addr) -> Vec<u8> {
    Message {
        mac,
        from: address,
        to: ALL_NODES.0,
        to_mac: ALL_NODES.1,
        content: NdiscRepr::NeighborAdvert {
            flags: NdiscNeighborFlags::OVERRIDE,
            target_addr: address,
            lladdr: Some(EthernetAddress(mac).into()),
        },
    }
    .frame()
}

/// "This address is mine", to one who asked; to everybody if the asker has no address yet (RFC 4861 section 7.2.4).
pub(crate) fn answer(
    reply: &mut Reply,
    mac: [u8; 6],
    target: Ipv6Addr,
    asker: Ipv6Addr,
    asker_mac: [u8; 6],
) {
    let (to, to_mac, flags) = if asker.is_unspecified() {
        (ALL_NODES.0, ALL_NODES.1, NdiscNeighborFlags::OVERRIDE)
    } else {
        let solicited = NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE;
        (asker, asker_mac, solicited)
    };
    let message = Message {
        mac,
        from: target,
        to,
        to_mac,
        content: NdiscRepr::NeighborAdvert {
            flags,
            target_addr: target,
            lladdr: Some(EthernetAddress(mac).into()),
        },
    };
    reply.build(message.len(), |frame| {
        message.emit(frame);
        own_frame(frame)
    });
}

/// "Who has this address?" (RFC 4861 section 7.2.2)
pub(crate) fn solicitation(mac: [u8; 6], from: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    Message {
        mac,
        from,
        // The solicited-node group (RFC 4291 section 2.7.1), and its Ethernet group.
        to: Ipv6Addr::from_bits(SOLICITED_NODE.to_bits() | target.to_bits() & 0xff_ffff),
        to_mac: [0x33, 0x33, 0xff, a, b, c],
        content: NdiscRepr::NeighborSolicit {
            target_addr: target,
            lladdr: Some(EthernetAddress(mac).into()),
        },
    }
    .frame()
}

/// "This address is mine", unasked (RFC 5227 section 3: an ARP announcement is a question for the own address).
pub(crate) fn arp_announcement(mac: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
    arp_question(mac, address, address)
}

/// "Who has this address?" (RFC 826)
pub(crate) fn arp_question(mac: [u8; 6], from: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: EthernetAddress(mac),
        source_protocol_addr: from,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: target,
    };
    let mut frame = vec![0; ETHERNET + arp.buffer_len()];
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame);
    ethernet.set_src_addr(EthernetAddress(mac));
    ethernet.set_dst_addr(EthernetAddress::BROADCAST);
    ethernet.set_ethertype(EthernetProtocol::Arp);
    arp.emit(&mut ArpPacket::new_unchecked(&mut frame[ETHERNET..]));
    frame
}
