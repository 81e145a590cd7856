//! Cutting a large TCP frame into ordinary ones, for whoever does not take it whole; and judging a frame of which a peer says that it is one.
//!
//! The segments have the large frame's headers, but for what differs from one to the next (RFC 9293, section 3.1; RFC 791, section 3.1; RFC 8200,
//! section 3): lengths, the IPv4 identification and header checksum, the sequence number, and the flags that mean the first or the last segment
//! (CWR, RFC 3168 section 6.1.2; PSH and FIN).

use core::fmt;
use core::num::NonZeroU16;

use crate::segment::{ETHERTYPE_IPV4, Segment, TCP, ethertype, locate, put, sum};
use crate::{
    ETHERNET_HEADER, GsoProtocol, RxChecksum, RxMeta, Segmentation, TxChecksum, TxMeta,
    blank_or_complete,
};

/// The least size of a segment that is believed: no sender goes below (Linux' `TCP_MIN_SND_MSS`), and each segment costs its receiver a
/// frame.
pub const MIN_SEGMENT: u16 = 48;

/// The frame is no large TCP frame of the kind that it is said to be, or would be cut too small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotLarge;

impl fmt::Display for NotLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the frame is no TCP packet that can be cut into segments")
    }
}

impl core::error::Error for NotLarge {}

/// The ordinary frames that a large one becomes, in their order.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    /// Ethernet, IP and TCP headers.
    headers: &'a [u8],
    /// What is left to be cut.
    payload: &'a [u8],
    /// Where the TCP header starts.
    tcp: usize,
    kind: GsoProtocol,
    /// The most payload bytes of one frame.
    size: usize,
    /// Payload bytes, and segments, that have been cut.
    sent: u32,
    count: u16,
    ended: bool,
}

impl<'a> Segments<'a> {
    /// Cuts `frame` into frames of at most `max_frame` bytes.
    ///
    /// # Errors
    ///
    /// [`NotLarge`], also if `max_frame` leaves no room for payload.
    pub fn new(
        frame: &'a [u8],
        segmentation: Segmentation,
        max_frame: usize,
    ) -> Result<Self, NotLarge> {
        let (segment, headers) = headers(frame, segmentation.kind)?;
        let room = max_frame.checked_sub(headers).ok_or(NotLarge)?;
        let size = room.min(usize::from(segmentation.size.get()));
        if size == 0 {
            return Err(NotLarge);
        }
        Ok(Self {
            headers: &frame[..headers],
            payload: &frame[headers..segment.end],
            tcp: segment.start,
            kind: segmentation.kind,
            size,
            sent: 0,
            count: 0,
            ended: false,
        })
    }

    /// The length of the next frame in bytes, if there is one.
    pub fn next_len(&self) -> Option<usize> {
        (!self.ended).then(|| self.headers.len() + self.payload.len().min(self.size))
    }

    /// Writes the next frame, with a blank checksum.
    ///
    /// # Panics
    ///
    /// If `into` is not as long as [`next_len`](Self::next_len) says.
    pub fn write(&mut self, into: &mut [u8]) -> TxMeta {
        let (payload, rest) = self.payload.split_at(self.payload.len().min(self.size));
        let (head, body) = into.split_at_mut(self.headers.len());
        head.copy_from_slice(self.headers);
        body.copy_from_slice(payload);
        self.ip(head, payload.len());
        self.tcp(&mut head[self.tcp..], rest.is_empty());
        // It is TCP, so this puts the pseudo-header's sum there, and leaves it.
        let checksum = blank_or_complete(into, crate::Offload::Both);
        self.ended = rest.is_empty();
        self.payload = rest;
        self.sent = self.sent.wrapping_add(payload.len() as u32);
        self.count = self.count.wrapping_add(1);
        TxMeta {
            checksum,
            segmentation: None,
        }
    }

    fn ip(&self, head: &mut [u8], payload: usize) {
        let packet = (head.len() - ETHERNET_HEADER + payload) as u16;
        let ip = &mut head[ETHERNET_HEADER..self.tcp];
        match self.kind {
            GsoProtocol::TcpV4 => {
                put(ip, 2, packet);
                let id = u16::from_be_bytes([ip[4], ip[5]]).wrapping_add(self.count);
                put(ip, 4, id);
                put(ip, 10, 0);
                let checksum = !sum(ip, 0);
                put(ip, 10, checksum);
            }
            GsoProtocol::TcpV6 => put(ip, 4, packet.saturating_sub(IPV6_HEADER)),
        }
    }

    fn tcp(&self, tcp: &mut [u8], last: bool) {
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        let sequence = sequence.wrapping_add(self.sent);
        tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
        if self.count > 0 {
            tcp[FLAGS] &= !CWR;
        }
        if !last {
            tcp[FLAGS] &= !(FIN | PSH);
        }
    }
}

/// Finds the headers' end in a frame that is to be a TCP packet of `kind`.
fn headers(frame: &[u8], kind: GsoProtocol) -> Result<(Segment, usize), NotLarge> {
    let found = match ethertype(frame) {
        Some(ETHERTYPE_IPV4) => GsoProtocol::TcpV4,
        _ => GsoProtocol::TcpV6,
    };
    let segment = locate(frame).ok_or(NotLarge)?;
    let offset = frame.get(segment.start + 12).ok_or(NotLarge)?;
    let length = usize::from(offset >> 4) * 4;
    let whole = (TCP_HEADER..=segment.end - segment.start).contains(&length);
    if segment.protocol != TCP || found != kind || !whole || segment.addresses.is_none() {
        return Err(NotLarge);
    }
    let end = segment.start + length;
    Ok((segment, end))
}

impl Segmentation {
    /// Judges a received frame of which the peer says that it is to be cut so: what is true of it, once its checksum is blank (a peer may have
    /// completed it, or left the field alone). A frame that is one segment, and no longer than `max_frame`, is an ordinary one.
    ///
    /// # Errors
    ///
    /// [`NotLarge`].
    pub fn judge(
        self,
        frame: &mut [u8],
        meta: RxMeta,
        max_frame: usize,
    ) -> Result<RxMeta, NotLarge> {
        let (segment, headers) = headers(frame, self.kind)?;
        if self.size.get() < MIN_SEGMENT {
            return Err(NotLarge);
        }
        let payload = segment.end - headers;
        if meta.checksum != RxChecksum::Blank
            && blank_or_complete(frame, crate::Offload::Both) != TxChecksum::Blank
        {
            return Err(NotLarge);
        }
        let ordinary = payload <= usize::from(self.size.get()) && frame.len() <= max_frame;
        Ok(RxMeta {
            checksum: RxChecksum::Blank,
            segmentation: (!ordinary).then_some(self),
        })
    }

    /// As extra info says it; `None` if it says nonsense.
    pub const fn from_extra(size: u16, protocol: Option<GsoProtocol>) -> Option<Self> {
        match (NonZeroU16::new(size), protocol) {
            (Some(size), Some(kind)) => Some(Self { kind, size }),
            _ => None,
        }
    }
}

/// RFC 8200, section 3.
const IPV6_HEADER: u16 = 40;
/// RFC 9293, section 3.1.
const TCP_HEADER: usize = 20;
const FLAGS: usize = 13;
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
/// RFC 3168, section 6.1.
const CWR: u8 = 0x80;

#[cfg(test)]
mod tests;
