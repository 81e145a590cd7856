//! Looking at a frame before smoltcp does: whose it is, and whether it may pass at all.
//!
//! What smoltcp would drop anyway is dropped here, so that it is counted. Beyond that this is the guard in front of smoltcp: some packets
//! that it does not survive, or that would make it answer where it should not, end here; each such check says why it is there.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use morgana_net_device::{RxChecksum, Verdict, verify};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    DHCP_CLIENT_PORT, DHCP_SERVER_PORT, EthernetAddress, EthernetFrame, EthernetProtocol,
    Icmpv6Message, Icmpv6Packet, IpProtocol, Ipv4Packet, Ipv6Packet, TcpControl, TcpPacket,
    TcpRepr, UdpPacket,
};

use crate::Cidr;
use crate::flow::FlowKey;
use crate::stats::Dropped;

/// The length of an Ethernet header (IEEE 802.3).
pub(crate) const ETHERNET: usize = 14;

/// The own addresses, as far as looking at frames needs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    pub(crate) mac: [u8; 6],
    pub(crate) ipv4: Option<Cidr<Ipv4Addr>>,
    pub(crate) ipv6: &'a [Ipv6Addr],
}

/// Whose a frame is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// ARP.
    Arp,
    /// A neighbour advertisement, or a solicitation that smoltcp answers.
    Neighbor,
    /// A neighbour solicitation for the own address `target` that smoltcp leaves without an answer.
    Solicitation {
        target: Ipv6Addr,
        from: Ipv6Addr,
        from_mac: [u8; 6],
    },
    /// A router advertisement from `router`, whose ICMPv6 message begins at that offset.
    Router { router: Ipv6Addr, message: usize },
    /// ICMP and unknown protocols: smoltcp answers without sockets.
    Other,
    /// To the DHCP client.
    Dhcp,
    /// UDP; `payload` is a range of the frame.
    Udp {
        local: SocketAddr,
        remote: SocketAddr,
        payload: (usize, usize),
    },
    /// TCP.
    Tcp(Segment),
}

/// What matters about a TCP segment. Its sequence numbers are those on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) flow: FlowKey,
    pub(crate) control: TcpControl,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: Option<u32>,
    pub(crate) window: u16,
    pub(crate) window_scale: Option<u8>,
    pub(crate) max_segment: Option<u16>,
    pub(crate) sack_permitted: bool,
    pub(crate) payload: usize,
    /// Where the TCP header begins in the frame.
    pub(crate) header: usize,
    /// The sender's Ethernet address.
    pub(crate) from_mac: [u8; 6],
}

impl Segment {
    /// Whether it is the first of a new connection.
    pub(crate) fn opens(&self) -> bool {
        self.control == TcpControl::Syn && self.acknowledgement.is_none()
    }
}

/// Finds out whose a frame is, or why it ends here.
pub(crate) fn classify(
    frame: &[u8],
    checksum: RxChecksum,
    own: &Own<'_>,
) -> Result<Class, Dropped> {
    let ethernet = EthernetFrame::new_checked(frame).map_err(|_| Dropped::Malformed)?;
    let to = ethernet.dst_addr();
    if to != EthernetAddress(own.mac) && !to.is_multicast() {
        return Err(Dropped::OtherStation);
    }
    if !ethernet.src_addr().is_unicast() || ethernet.src_addr() == EthernetAddress(own.mac) {
        return Err(Dropped::BadSource);
    }
    let from_mac = ethernet.src_addr().0;
    match ethernet.ethertype() {
        EthernetProtocol::Arp => Ok(Class::Arp),
        EthernetProtocol::Ipv4 => ipv4(frame, from_mac, checksum, own),
        EthernetProtocol::Ipv6 => ipv6(frame, from_mac, checksum, own),
        EthernetProtocol::Unknown(_) => Err(Dropped::UnknownProtocol),
    }
}

fn ipv4(
    frame: &[u8],
    from_mac: [u8; 6],
    checksum: RxChecksum,
    own: &Own<'_>,
) -> Result<Class, Dropped> {
    let packet = Ipv4Packet::new_checked(&frame[ETHERNET..]).map_err(|_| Dropped::Malformed)?;
    if packet.version() != 4 {
        return Err(Dropped::Malformed);
    }
    if !packet.verify_checksum() {
        return Err(Dropped::BadChecksum);
    }
    if packet.more_frags() || packet.frag_offset() != 0 {
        return Err(Dropped::Fragment);
    }
    let (from, to) = (packet.src_addr(), packet.dst_addr());
    let header = ETHERNET + usize::from(packet.header_len());
    let payload = packet.payload();
    let dhcp = packet.next_header() == IpProtocol::Udp
        && UdpPacket::new_checked(payload).is_ok_and(|udp| {
            udp.src_port() == DHCP_SERVER_PORT && udp.dst_port() == DHCP_CLIENT_PORT
        });
    // An unspecified source gets past smoltcp, whose DHCP client would later send to that address and panic.
    let bad_source = from.is_unspecified()
        || from.is_multicast()
        || from.is_broadcast()
        || from.is_loopback()
        || own.ipv4.is_some_and(|cidr| {
            cidr.address == from
                || (cidr.contains(from)
                    && !Cidr {
                        address: from,
                        ..cidr
                    }
                    .is_host())
        });
    if bad_source {
        return Err(Dropped::BadSource);
    }
    if dhcp {
        // The address it names is not ours yet.
        verify_transport(frame, checksum)?;
        return Ok(Class::Dhcp);
    }
    let unicast = own.ipv4.is_some_and(|cidr| cidr.address == to);
    let group = to.is_broadcast()
        || to.is_multicast()
        || own.ipv4.is_some_and(|cidr| {
            cidr.contains(to)
                && !Cidr {
                    address: to,
                    ..cidr
                }
                .is_host()
        });
    if !unicast && !group {
        return Err(Dropped::OtherAddress);
    }
    let path = Path {
        from: IpAddr::V4(from),
        to: IpAddr::V4(to),
        from_mac,
        unicast,
        header,
    };
    transport(frame, packet.next_header(), payload, &path, checksum)
}

fn ipv6(
    frame: &[u8],
    from_mac: [u8; 6],
    checksum: RxChecksum,
    own: &Own<'_>,
) -> Result<Class, Dropped> {
    let packet = Ipv6Packet::new_checked(&frame[ETHERNET..]).map_err(|_| Dropped::Malformed)?;
    if packet.version() != 6 {
        return Err(Dropped::Malformed);
    }
    let (from, to) = (packet.src_addr(), packet.dst_addr());
    let unicast = own.ipv6.contains(&to);
    if !unicast && !to.is_multicast() {
        return Err(Dropped::OtherAddress);
    }
    let mut next = packet.next_header();
    let mut payload = packet.payload();
    let mut header = ETHERNET + packet.header_len();
    if next == IpProtocol::HopByHop {
        // RFC 8200 section 4.3: type, length in 8 bytes without the first, options, which smoltcp looks at.
        let (&[kind, length], _) = payload.split_first_chunk().ok_or(Dropped::Malformed)?;
        let length = (usize::from(length) + 1) * 8;
        payload = payload.get(length..).ok_or(Dropped::Malformed)?;
        header += length;
        next = IpProtocol::from(kind);
        if next != IpProtocol::Icmpv6 {
            return Err(Dropped::UnknownProtocol);
        }
    }
    if next == IpProtocol::Icmpv6
        && let Some(class) = neighbor_discovery(payload, header, from_mac, &packet, own)?
    {
        return Ok(class);
    }
    if from.is_unspecified()
        || from.is_multicast()
        || from.is_loopback()
        || own.ipv6.contains(&from)
    {
        return Err(Dropped::BadSource);
    }
    let path = Path {
        from: IpAddr::V6(from),
        to: IpAddr::V6(to),
        from_mac,
        unicast,
        header,
    };
    transport(frame, next, payload, &path, checksum)
}

/// Neighbour discovery (RFC 4861), where smoltcp needs help or guarding.
fn neighbor_discovery(
    message: &[u8],
    header: usize,
    from_mac: [u8; 6],
    packet: &Ipv6Packet<&[u8]>,
    own: &Own<'_>,
) -> Result<Option<Class>, Dropped> {
    let icmp = Icmpv6Packet::new_checked(message).map_err(|_| Dropped::Malformed)?;
    let (from, to) = (packet.src_addr(), packet.dst_addr());
    let kind = icmp.msg_type();
    if !kind.is_ndisc() {
        return Ok(None);
    }
    if !icmp.verify_checksum(&from, &to) {
        return Err(Dropped::BadChecksum);
    }
    // RFC 4861 sections 6.1 and 7.1: a hop limit of 255 proves that it comes from this link.
    if packet.hop_limit() != 255 || from.is_multicast() {
        return Err(Dropped::BadSource);
    }
    match kind {
        Icmpv6Message::NeighborSolicit => {
            let target = icmp.target_addr();
            if !own.ipv6.contains(&target) {
                return Err(Dropped::OtherAddress);
            }
            // smoltcp answers what is sent to the solicited-node group, but neither probes of whether we are still here, which come to
            // our own address (RFC 4861 section 7.3), nor the unspecified address (RFC 4862 section 5.4).
            if own.ipv6.contains(&to) || from.is_unspecified() {
                return Ok(Some(Class::Solicitation {
                    target,
                    from,
                    from_mac,
                }));
            }
            Ok(Some(Class::Neighbor))
        }
        Icmpv6Message::NeighborAdvert if from.is_unspecified() || own.ipv6.contains(&from) => {
            Err(Dropped::BadSource)
        }
        Icmpv6Message::NeighborAdvert => Ok(Some(Class::Neighbor)),
        Icmpv6Message::RouterAdvert if from.is_unicast_link_local() => Ok(Some(Class::Router {
            router: from,
            message: header,
        })),
        // Hosts have no use for solicitations of routers, and redirects are an invitation to be deceived.
        _ => Err(Dropped::UnknownProtocol),
    }
}

/// Where a packet comes from and goes to.
struct Path {
    from: IpAddr,
    to: IpAddr,
    from_mac: [u8; 6],
    /// Whether `to` is an own address, not a group's.
    unicast: bool,
    /// Where the transport header begins in the frame.
    header: usize,
}

fn transport(
    frame: &[u8],
    protocol: IpProtocol,
    payload: &[u8],
    path: &Path,
    checksum: RxChecksum,
) -> Result<Class, Dropped> {
    match protocol {
        IpProtocol::Tcp => {
            let packet = TcpPacket::new_checked(payload).map_err(|_| Dropped::Malformed)?;
            // RFC 9293 section 3.9.2.3: a segment to a group is dropped. smoltcp would open a connection with the group's address.
            if !path.unicast {
                return Err(Dropped::OtherAddress);
            }
            verify_transport(frame, checksum)?;
            let repr = TcpRepr::parse(
                &packet,
                &path.from.into(),
                &path.to.into(),
                &ChecksumCapabilities::ignored(),
            )
            .map_err(|_| Dropped::Malformed)?;
            Ok(Class::Tcp(Segment {
                flow: FlowKey {
                    remote: SocketAddr::new(path.from, repr.src_port),
                    local: SocketAddr::new(path.to, repr.dst_port),
                },
                control: repr.control,
                sequence: repr.seq_number.0 as u32,
                acknowledgement: repr.ack_number.map(|number| number.0 as u32),
                window: repr.window_len,
                window_scale: repr.window_scale,
                max_segment: repr.max_seg_size,
                sack_permitted: repr.sack_permitted,
                payload: repr.payload.len(),
                header: path.header,
                from_mac: path.from_mac,
            }))
        }
        IpProtocol::Udp => {
            let packet = UdpPacket::new_checked(payload).map_err(|_| Dropped::Malformed)?;
            if packet.dst_port() == 0 {
                return Err(Dropped::Malformed);
            }
            verify_transport(frame, checksum)?;
            let start = path.header + 8;
            Ok(Class::Udp {
                local: SocketAddr::new(path.to, packet.dst_port()),
                remote: SocketAddr::new(path.from, packet.src_port()),
                payload: (start, start + packet.payload().len()),
            })
        }
        IpProtocol::Icmpv6 if path.from.is_ipv6() => Ok(Class::Other),
        // No answers to what was sent to a group (RFC 1122 section 3.2.2, RFC 4443 section 2.4): the sender may be forged.
        _ if !path.unicast => Err(Dropped::OtherAddress),
        _ => Ok(Class::Other),
    }
}

/// smoltcp is told never to verify TCP and UDP, because it is not for it to know which frames the device vouches for.
fn verify_transport(frame: &[u8], checksum: RxChecksum) -> Result<(), Dropped> {
    match checksum {
        RxChecksum::Validated | RxChecksum::Blank => Ok(()),
        RxChecksum::Unverified => match verify(frame) {
            Verdict::Right | Verdict::Absent => Ok(()),
            Verdict::Wrong => Err(Dropped::BadChecksum),
            Verdict::NotApplicable => Err(Dropped::Malformed),
        },
    }
}
