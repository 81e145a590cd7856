//! A DHCP server with one address to lease (RFC 2131), on whole Ethernet frames: the client that asks has no address yet.

use core::net::Ipv4Addr;

use morgana_net_device::{MacAddr, Offload, blank_or_complete};

use crate::Config;

/// RFC 2131 section 4.1.
const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
/// RFC 2131 section 3: the first four bytes of the options.
const MAGIC: [u8; 4] = [99, 130, 83, 99];
/// The fixed part of a message, magic cookie included (RFC 2131 figure 1).
const FIXED: usize = 240;
/// The shortest message that a relay or an old client accepts (RFC 1542 section 2.1).
const SHORTEST: usize = 300;
/// How long a lease lasts. Nobody else could get the address, so the length does not matter.
const LEASE_SECONDS: u32 = 86_400;

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const UDP: usize = 8;

/// Options (RFC 2132).
mod option {
    pub(super) const PAD: u8 = 0;
    pub(super) const MASK: u8 = 1;
    pub(super) const ROUTER: u8 = 3;
    pub(super) const REQUESTED: u8 = 50;
    pub(super) const LEASE: u8 = 51;
    pub(super) const MESSAGE: u8 = 53;
    pub(super) const SERVER: u8 = 54;
    pub(super) const END: u8 = 255;
}

/// Message types (RFC 2132 section 9.6).
mod message {
    pub(super) const DISCOVER: u8 = 1;
    pub(super) const OFFER: u8 = 2;
    pub(super) const REQUEST: u8 = 3;
    pub(super) const ACK: u8 = 5;
    pub(super) const NAK: u8 = 6;
}

/// What of a client's message matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Question {
    kind: u8,
    transaction: [u8; 4],
    flags: [u8; 2],
    client: MacAddr,
    current: Ipv4Addr,
    requested: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
}

/// The answer to a frame, if it is a question to this server.
pub(crate) fn answer(config: &Config, own: MacAddr, frame: &[u8]) -> Option<Vec<u8>> {
    let question = parse(message(frame)?)?;
    let kind = match question.kind {
        message::DISCOVER => message::OFFER,
        // It has chosen another server.
        message::REQUEST
            if question
                .server
                .is_some_and(|server| server != config.gateway) =>
        {
            return None;
        }
        message::REQUEST => {
            let wanted = question.requested.unwrap_or(question.current);
            if wanted == config.guest {
                message::ACK
            } else {
                message::NAK
            }
        }
        _ => return None,
    };
    Some(build(config, own, &question, kind))
}

/// The DHCP message in a frame that goes from a client to a server.
fn message(frame: &[u8]) -> Option<&[u8]> {
    // RFC 894: type 0x0800.
    let packet = frame.get(ETHERNET..).filter(|_| frame[12..14] == [8, 0])?;
    let first = *packet.first()?;
    let header = usize::from(first & 15) * 4;
    let total = usize::from(number(packet, 2)?);
    // RFC 791: bits 0x3fff of the fragment word are "more fragments" and the offset.
    let is_fragment = number(packet, 6)? & 0x3fff != 0;
    // IANA protocol numbers: 17 is UDP.
    if first >> 4 != 4 || header < IPV4 || is_fragment || *packet.get(9)? != 17 {
        return None;
    }
    let datagram = packet.get(header..total)?;
    let length = usize::from(number(datagram, 4)?);
    if number(datagram, 0)? != CLIENT_PORT || number(datagram, 2)? != SERVER_PORT {
        return None;
    }
    datagram.get(UDP..length)
}

fn parse(message: &[u8]) -> Option<Question> {
    let (fixed, mut options) = message.split_first_chunk::<FIXED>()?;
    // RFC 2131 table 1: a request, by Ethernet, whose addresses have 6 bytes.
    if fixed[..3] != [1, 1, 6] || fixed[236..] != MAGIC {
        return None;
    }
    let mut question = Question {
        kind: 0,
        transaction: *fixed[4..].first_chunk()?,
        flags: *fixed[10..].first_chunk()?,
        client: MacAddr(*fixed[28..].first_chunk()?),
        current: address(&fixed[12..])?,
        requested: None,
        server: None,
    };
    while let Some((&code, rest)) = options.split_first() {
        match code {
            option::PAD => {
                options = rest;
                continue;
            }
            option::END => break,
            _ => {}
        }
        let (&length, rest) = rest.split_first()?;
        let (data, rest) = rest.split_at_checked(usize::from(length))?;
        match (code, data) {
            (option::MESSAGE, &[kind]) => question.kind = kind,
            (option::REQUESTED, _) => question.requested = Some(address(data)?),
            (option::SERVER, _) => question.server = Some(address(data)?),
            _ => {}
        }
        options = rest;
    }
    question.client.is_unicast().then_some(question)
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    bytes.first_chunk::<4>().map(|&octets| octets.into())
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// An answer. It goes to everybody, since the client cannot be reached by an address yet; but by Ethernet to the client alone.
fn build(config: &Config, own: MacAddr, question: &Question, kind: u8) -> Vec<u8> {
    let mut message = vec![0; FIXED];
    message[..3].copy_from_slice(&[2, 1, 6]);
    message[4..8].copy_from_slice(&question.transaction);
    message[10..12].copy_from_slice(&question.flags);
    message[28..34].copy_from_slice(&question.client.0);
    message[236..240].copy_from_slice(&MAGIC);
    let mut put = |code: u8, data: &[u8]| {
        message.extend([code, data.len() as u8]);
        message.extend(data);
    };
    put(option::MESSAGE, &[kind]);
    put(option::SERVER, &config.gateway.octets());
    if kind != message::NAK {
        put(option::LEASE, &LEASE_SECONDS.to_be_bytes());
        put(option::MASK, &config.mask().octets());
        put(option::ROUTER, &config.gateway.octets());
        message[16..20].copy_from_slice(&config.guest.octets());
    }
    message.push(option::END);
    message.resize(message.len().max(SHORTEST), option::PAD);

    let datagram = UDP + message.len();
    let mut frame = Vec::with_capacity(ETHERNET + IPV4 + datagram);
    frame.extend(question.client.0);
    frame.extend(own.0);
    frame.extend([8, 0]);
    // RFC 791 section 3.1: version 4 and five words of header, no fragments, 64 routers at most, UDP.
    frame.extend([0x45, 0]);
    frame.extend(((IPV4 + datagram) as u16).to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    frame.extend(config.gateway.octets());
    frame.extend(Ipv4Addr::BROADCAST.octets());
    let sum = header_checksum(&frame[ETHERNET..]);
    frame[ETHERNET + 10..ETHERNET + 12].copy_from_slice(&sum.to_be_bytes());
    frame.extend(SERVER_PORT.to_be_bytes());
    frame.extend(CLIENT_PORT.to_be_bytes());
    frame.extend((datagram as u16).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(message);
    blank_or_complete(&mut frame, Offload::None);
    frame
}

/// RFC 1071, over a header whose own checksum field is zero.
fn header_checksum(header: &[u8]) -> u16 {
    let words = header
        .chunks_exact(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 2];
    const GUEST: [u8; 4] = [10, 0, 2, 15];
    const GATEWAY: [u8; 4] = [10, 0, 2, 2];

    fn question(options: &[u8]) -> Vec<u8> {
        let mut message = vec![0; FIXED];
        message[..3].copy_from_slice(&[1, 1, 6]);
        message[4..8].copy_from_slice(&[1, 2, 3, 4]);
        message[28..34].copy_from_slice(&CLIENT);
        message[236..240].copy_from_slice(&MAGIC);
        message.extend(options);
        let datagram = (UDP + message.len()) as u16;
        let mut frame = vec![0xff; 6];
        frame.extend(CLIENT);
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((IPV4 as u16 + datagram).to_be_bytes());
        frame.extend([
            0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 68, 0, 67,
        ]);
        frame.extend(datagram.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(message);
        frame
    }

    fn ask(options: &[u8]) -> Option<Vec<u8>> {
        answer(&Config::default(), OWN, &question(options))
    }

    /// The message type and the address given.
    fn reply(options: &[u8]) -> Option<(u8, [u8; 4])> {
        let frame = ask(options)?;
        assert_eq!(frame[..6], CLIENT);
        assert_eq!(
            morgana_net_device::verify(&frame),
            morgana_net_device::Verdict::Right
        );
        assert_eq!(header_checksum(&frame[ETHERNET..ETHERNET + IPV4]), 0);
        let message = &frame[ETHERNET + IPV4 + UDP..];
        assert_eq!(message[4..8], [1, 2, 3, 4]);
        assert_eq!(message[FIXED..FIXED + 2], [option::MESSAGE, 1]);
        Some((message[FIXED + 2], *message[16..].first_chunk().unwrap()))
    }

    #[test]
    fn a_client_gets_the_address() {
        assert_eq!(reply(&[53, 1, 1, 255]), Some((message::OFFER, GUEST)));
        let [a, b, c, d] = GUEST;
        let [e, f, g, h] = GATEWAY;
        let request = [53, 1, 3, 0, 50, 4, a, b, c, d, 54, 4, e, f, g, h, 255];
        assert_eq!(reply(&request), Some((message::ACK, GUEST)));
        let unknown = [53, 1, 3, 50, 4, 192, 168, 0, 7, 255];
        assert_eq!(reply(&unknown), Some((message::NAK, [0; 4])));
        let other_server = [53, 1, 3, 50, 4, a, b, c, d, 54, 4, 1, 2, 3, 4, 255];
        assert_eq!(reply(&other_server), None);
        let release = [53, 1, 7, 255];
        assert_eq!(reply(&release), None);
    }

    #[test]
    fn a_client_that_renews_says_its_address_elsewhere() {
        let mut frame = question(&[53, 1, 3, 255]);
        frame[ETHERNET + IPV4 + UDP + 12..][..4].copy_from_slice(&GUEST);
        let answer = answer(&Config::default(), OWN, &frame).unwrap();
        assert_eq!(answer[ETHERNET + IPV4 + UDP + FIXED + 2], message::ACK);
    }

    #[test]
    fn everything_else_is_left_alone() {
        assert_eq!(ask(&[53, 2, 1, 1, 255]), None, "a type of two bytes");
        assert_eq!(ask(&[53, 1]), None, "cut off");
        assert_eq!(
            ask(&[50, 3, 1, 2, 3, 255]),
            None,
            "an address of three bytes"
        );
        assert_eq!(ask(&[]), None, "no type");
        let good = question(&[53, 1, 1, 255]);
        let config = Config::default();
        assert!(answer(&config, OWN, &good).is_some());
        for len in 0..good.len() - 2 {
            assert_eq!(answer(&config, OWN, &good[..len]), None, "{len} bytes");
        }
        for (at, what) in [
            (13, "no IPv4"),
            (14, "IP version and header length"),
            (20, "a fragment"),
            (23, "no UDP"),
            (35, "from another port"),
            (37, "to another port"),
            (42, "a reply"),
            (44, "a long hardware address"),
            (42 + 236, "no cookie"),
        ] {
            let mut frame = good.clone();
            frame[at] ^= 0x21;
            assert_eq!(answer(&config, OWN, &frame), None, "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_frame_panics(at in 0usize..300, bytes: Vec<u8>, cut in 0usize..400) {
            let mut frame = question(&[53, 1, 1, 50, 4, 10, 0, 2, 15, 255]);
            for (place, byte) in frame.iter_mut().skip(at).zip(&bytes) {
                *place = *byte;
            }
            frame.truncate(cut);
            answer(&Config::default(), OWN, &frame);
            answer(&Config::default(), OWN, &bytes);
        }
    }
}
