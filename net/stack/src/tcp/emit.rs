//! Building segments that no socket stands behind.

use core::net::SocketAddr;

use morgana_net_device::{Offload, blank_or_complete};
use smoltcp::phy::{Checksum, ChecksumCapabilities};
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, IpRepr, TcpControl, TcpPacket,
    TcpRepr, TcpSeqNumber,
};

use crate::frame::ETHERNET;
use crate::phy::Reply;

/// How many routers a packet passes at most (the value that RFC 1700 recommends).
const HOP_LIMIT: u8 = 64;

/// A segment without payload.
pub(crate) struct BareSegment {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) control: TcpControl,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: Option<u32>,
    pub(crate) window: u16,
    pub(crate) max_segment: Option<u16>,
    pub(crate) window_scale: Option<u8>,
    pub(crate) sack_permitted: bool,
}

impl BareSegment {
    fn reprs(&self) -> (IpRepr, TcpRepr<'static>) {
        let tcp = TcpRepr {
            src_port: self.from.port(),
            dst_port: self.to.port(),
            control: self.control,
            seq_number: TcpSeqNumber(self.sequence.cast_signed()),
            ack_number: self
                .acknowledgement
                .map(|number| TcpSeqNumber(number.cast_signed())),
            window_len: self.window,
            window_scale: self.window_scale,
            max_seg_size: self.max_segment,
            sack_permitted: self.sack_permitted,
            sack_ranges: [None; 3],
            timestamp: None,
            payload: &[],
        };
        let ip = IpRepr::new(
            self.from.ip().into(),
            self.to.ip().into(),
            IpProtocol::Tcp,
            tcp.buffer_len(),
            HOP_LIMIT,
        );
        (ip, tcp)
    }

    /// The length of its IP packet.
    pub(crate) fn packet_len(&self) -> usize {
        self.reprs().0.buffer_len()
    }

    /// Writes the IP packet, whose TCP checksum is left zero.
    pub(crate) fn emit(&self, packet: &mut [u8]) {
        let (ip, tcp) = self.reprs();
        let mut checksum = ChecksumCapabilities::default();
        checksum.tcp = Checksum::None;
        ip.emit(&mut *packet, &checksum);
        tcp.emit(
            &mut TcpPacket::new_unchecked(&mut packet[ip.header_len()..]),
            &ip.src_addr(),
            &ip.dst_addr(),
            &checksum,
        );
    }

    /// Makes it the answer to a frame.
    pub(crate) fn reply(&self, reply: &mut Reply, own: [u8; 6], to: [u8; 6], offload: Offload) {
        reply.build(ETHERNET + self.packet_len(), |frame| {
            let mut ethernet = EthernetFrame::new_unchecked(&mut *frame);
            ethernet.set_src_addr(EthernetAddress(own));
            ethernet.set_dst_addr(EthernetAddress(to));
            ethernet.set_ethertype(if self.from.is_ipv4() {
                EthernetProtocol::Ipv4
            } else {
                EthernetProtocol::Ipv6
            });
            self.emit(&mut frame[ETHERNET..]);
            blank_or_complete(frame, offload).into()
        });
    }
}
