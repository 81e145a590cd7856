//! The few frames that the relay reads and writes: ARP (RFC 826), and UDP (RFC 768) in IPv4 (RFC 791) in Ethernet.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The relay's address in the testbed's network. QEMU's own hosts are 10.0.2.2 and 10.0.2.3.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 4);
/// Its Ethernet address: a locally administered one.
const MAC: Mac = [0x52, 0x54, 0x00, 0x4d, 0x6f, 0x04];
const EVERYBODY: Mac = [0xff; 6];

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const UDP: usize = 8;
const TYPE_IPV4: [u8; 2] = [0x08, 0x00];
const TYPE_ARP: [u8; 2] = [0x08, 0x06];
const PROTOCOL_UDP: u8 = 17;
/// What fits into a packet of 1,500 bytes.
const LONGEST: usize = 1500 - IPV4 - UDP;

/// Ethernet's hardware type, IPv4's protocol type, and the lengths of their addresses.
const ARP_HEAD: [u8; 6] = [0, 1, 0x08, 0x00, 6, 4];
const ARP_REQUEST: [u8; 2] = [0, 1];
const ARP_REPLY: [u8; 2] = [0, 2];
const ARP: usize = 28;

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

/// What a frame says to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// Where somebody is, and whether that asks where the relay is.
    Neighbour {
        mac: Mac,
        address: Ipv4Addr,
        asks: Asks,
    },
    /// A datagram to the relay.
    Datagram {
        from: SocketAddrV4,
        port: u16,
        payload: &'a [u8],
    },
}

/// Whether an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Us,
    Nothing,
}

/// Reads a frame; `None` if it is nothing for the relay.
pub(super) fn parse(frame: &[u8]) -> Option<Heard<'_>> {
    let body = frame.get(ETHERNET..)?;
    match frame.get(12..ETHERNET)?.try_into().ok()? {
        TYPE_ARP => parse_arp(body),
        TYPE_IPV4 => parse_datagram(body),
        _ => None,
    }
}

fn parse_arp(body: &[u8]) -> Option<Heard<'_>> {
    let body: &[u8; ARP] = body.first_chunk()?;
    let asks = match [body[6], body[7]] {
        ARP_REQUEST if body[24..] == ADDRESS.octets() => Asks::Us,
        ARP_REQUEST | ARP_REPLY => Asks::Nothing,
        _ => return None,
    };
    // Of the testbed's network, so that there are not more of them than addresses in it.
    let known = body[..6] == ARP_HEAD && body[14..17] == ADDRESS.octets()[..3];
    let mac = body[8..14].try_into().ok()?;
    let address = address(&body[14..18])?;
    known.then_some(Heard::Neighbour { mac, address, asks })
}

fn parse_datagram(packet: &[u8]) -> Option<Heard<'_>> {
    let header: &[u8; IPV4] = packet.first_chunk()?;
    let length = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // More fragments, or not the first one.
    let whole = u16::from_be_bytes([header[6], header[7]]) & 0x3fff == 0;
    let ours = header[16..] == ADDRESS.octets();
    if header[0] >> 4 != 4 || length < IPV4 || !whole || header[9] != PROTOCOL_UDP || !ours {
        return None;
    }
    let datagram = packet.get(length..total)?;
    let ports: &[u8; UDP] = datagram.first_chunk()?;
    let word = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    Some(Heard::Datagram {
        from: SocketAddrV4::new(address(&header[12..16])?, word(0)),
        port: word(2),
        payload: datagram.get(UDP..usize::from(word(4)))?,
    })
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}

/// Asks everybody where `address` is.
pub(super) fn question(address: Ipv4Addr) -> Vec<u8> {
    arp(ARP_REQUEST, EVERYBODY, [0; 6], address)
}

/// Tells a neighbour where the relay is.
pub(super) fn answer(mac: Mac, address: Ipv4Addr) -> Vec<u8> {
    arp(ARP_REPLY, mac, mac, address)
}

fn arp(operation: [u8; 2], to: Mac, target: Mac, address: Ipv4Addr) -> Vec<u8> {
    let mut frame = ethernet(to, TYPE_ARP);
    frame.extend_from_slice(&ARP_HEAD);
    frame.extend_from_slice(&operation);
    frame.extend_from_slice(&MAC);
    frame.extend_from_slice(&ADDRESS.octets());
    frame.extend_from_slice(&target);
    frame.extend_from_slice(&address.octets());
    frame
}

/// A datagram from the relay's `port`; `None` if it does not fit into one packet.
pub(super) fn datagram(mac: Mac, port: u16, to: SocketAddrV4, payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() > LONGEST {
        return None;
    }
    let length = (UDP + payload.len()) as u16;
    let mut header = [0; IPV4];
    // Version 4, five words.
    header[0] = 0x45;
    header[2..4].copy_from_slice(&(IPV4 as u16 + length).to_be_bytes());
    // Not to be fragmented.
    header[6] = 0x40;
    header[8] = 64;
    header[9] = PROTOCOL_UDP;
    header[12..16].copy_from_slice(&ADDRESS.octets());
    header[16..20].copy_from_slice(&to.ip().octets());
    let sum = !folded(sum_of(&header));
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut datagram = Vec::with_capacity(UDP + payload.len());
    for word in [port, to.port(), length, 0] {
        datagram.extend_from_slice(&word.to_be_bytes());
    }
    datagram.extend_from_slice(payload);
    // The pseudo-header: addresses, protocol, length (RFC 768).
    let pseudo = sum_of(&header[12..]) + u32::from(PROTOCOL_UDP) + u32::from(length);
    let sum = match !folded(pseudo + sum_of(&datagram)) {
        // Zero would say that there is none.
        0 => 0xffff,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    let mut frame = ethernet(mac, TYPE_IPV4);
    frame.extend_from_slice(&header);
    frame.extend_from_slice(&datagram);
    Some(frame)
}

fn ethernet(to: Mac, kind: [u8; 2]) -> Vec<u8> {
    [&to[..], &MAC, &kind].concat()
}

/// The sum of 16-bit words, as RFC 1071 has it, not folded yet.
fn sum_of(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum()
}

fn folded(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: Mac = [0, 0x16, 0x3e, 1, 2, 3];

    /// As the guest would send it: both ends exchanged.
    fn from_guest(payload: &[u8]) -> Vec<u8> {
        let to = SocketAddrV4::new(ADDRESS, 4000);
        let mut frame = datagram(MAC, 53, to, payload).unwrap();
        frame[26..30].copy_from_slice(&[10, 0, 2, 50]);
        frame
    }

    #[test]
    fn datagrams_are_what_they_say() {
        let to = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 50), 53);
        for payload in [&b"odd"[..], b"even", b"", &[0xff; LONGEST]] {
            let frame = datagram(GUEST, 4000, to, payload).unwrap();
            assert_eq!(frame.len(), ETHERNET + IPV4 + UDP + payload.len());
            // A sum over all of it, its own checksum included, has all bits set.
            assert_eq!(folded(sum_of(&frame[ETHERNET..ETHERNET + IPV4])), 0xffff);
            let pseudo = sum_of(&frame[26..34]) + 17 + (UDP + payload.len()) as u32;
            assert_eq!(folded(pseudo + sum_of(&frame[34..])), 0xffff);
        }
        assert!(datagram(GUEST, 4000, to, &[0; LONGEST + 1]).is_none());
    }

    #[test]
    fn answers_are_read_whatever_is_cut_off_or_changed() {
        let frame = from_guest(b"an answer");
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 50), 53);
        let expected = Heard::Datagram {
            from,
            port: 4000,
            payload: b"an answer",
        };
        assert_eq!(parse(&frame), Some(expected));
        // Ethernet pads short frames.
        assert_eq!(parse(&[&frame[..], &[0; 9]].concat()), Some(expected));
        for length in 0..frame.len() {
            assert_eq!(parse(&frame[..length]), None);
        }
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut frame = frame.clone();
                frame[at] ^= 1 << bit;
                // Whatever it is now, it is read without harm.
                let _ = parse(&frame);
            }
        }
    }

    #[test]
    fn neighbours_are_told_and_asked() {
        let address = Ipv4Addr::new(10, 0, 2, 50);
        let mut frame = question(address);
        assert_eq!(frame[..6], EVERYBODY);
        // The guest asks for the relay.
        frame[22..28].copy_from_slice(&GUEST);
        frame[28..32].copy_from_slice(&address.octets());
        frame[38..42].copy_from_slice(&ADDRESS.octets());
        let mac = GUEST;
        let asks = Asks::Us;
        assert_eq!(parse(&frame), Some(Heard::Neighbour { mac, address, asks }));
        let answer = answer(GUEST, address);
        assert_eq!((&answer[..6], answer.len()), (&GUEST[..], ETHERNET + ARP));
    }
}
