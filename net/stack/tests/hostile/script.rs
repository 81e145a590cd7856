//! An input read as a script of what the peer, the clock and the application do.

use morgana_net_device::{Offload, blank_or_complete};

use crate::link::{OURS, PEER, PORTS, Wire};

/// The input that is left.
pub(crate) struct Script<'a>(pub(crate) &'a [u8]);

/// One step.
pub(crate) enum Step {
    /// A frame arrives; the checksum is what the device says of it (0 unverified, 1 validated, 2 blank).
    Frame(Vec<u8>, u8),
    /// So many milliseconds pass.
    Wait(u64),
    /// The device has room again.
    Drain,
    /// The application does something with one of its streams.
    Write(usize, usize),
    Read(usize),
    Shutdown(usize),
    Drop(usize),
    Abort(usize),
    Connect(u16),
    Datagram(u16),
}

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// Bytes whose number comes first.
    fn bytes(&mut self, most: usize) -> Option<Vec<u8>> {
        let len = usize::from(self.word()?) % (most + 1);
        let len = len.min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(bytes.to_vec())
    }

    pub(crate) fn step(&mut self, wire: &Wire) -> Option<Step> {
        let kind = self.byte()?;
        let arg = kind >> 4;
        Some(match kind & 0x0f {
            0 => Step::Frame(self.bytes(2000)?, arg % 3),
            1 => {
                // Any frame to our station.
                let mut frame = OURS.to_vec();
                frame.extend(PEER);
                frame.extend(self.bytes(2000)?);
                Step::Frame(frame, arg % 3)
            }
            2 | 3 => {
                // A packet with right lengths and checksums, from the peer to us.
                let ipv6 = kind & 1 != 0;
                let protocol = [6, 17, 1, 58, 0, 2, 47, self.byte()?][usize::from(arg) % 8];
                let payload = self.bytes(1480)?;
                Step::Frame(packet(ipv6, protocol, 64, &payload), 0)
            }
            4..=7 => Step::Frame(self.segment(kind & 1 != 0, arg, wire)?, 0),
            8 => {
                // Neighbour discovery.
                let mut message = vec![133 + arg % 5, 0];
                message.extend(self.bytes(200)?);
                Step::Frame(packet(true, 58, 255, &message), 0)
            }
            9 => Step::Frame(self.dhcp(wire)?, 0),
            10 => Step::Frame(arp(1 + u8::from(arg & 1 != 0)), 0),
            11 => Step::Wait(1 << arg),
            12 => Step::Drain,
            13 => {
                let stream = usize::from(arg);
                match self.byte()? % 6 {
                    0 => Step::Read(stream),
                    1 => Step::Shutdown(stream),
                    2 => Step::Drop(stream),
                    3 => Step::Abort(stream),
                    _ => Step::Write(stream, usize::from(self.word()?)),
                }
            }
            14 => Step::Connect(1000 + u16::from(arg) % PORTS as u16),
            _ => Step::Datagram(1000 + u16::from(arg) % PORTS as u16),
        })
    }

    /// A segment of one of the peer's connections, whose numbers are near those that the stack expects.
    fn segment(&mut self, ipv6: bool, port: u8, wire: &Wire) -> Option<Vec<u8>> {
        let flags = self.byte()?;
        let near = |number: u32, by: u8| number.wrapping_add_signed(i32::from(by.cast_signed()));
        let far = |number: u32, by: u16| number.wrapping_add(u32::from(by) << 17);
        let (next, acknowledged) = wire.heard[usize::from(port) % PORTS];
        let (mut sequence, mut acknowledgement) = (acknowledged, next);
        let what = self.byte()?;
        if what & 1 != 0 {
            sequence = near(sequence, self.byte()?);
        }
        if what & 2 != 0 {
            acknowledgement = near(acknowledgement, self.byte()?);
        }
        if what & 4 != 0 {
            sequence = far(sequence, self.word()?);
        }
        if what & 8 != 0 {
            acknowledgement = far(acknowledgement, self.word()?);
        }
        let window = if what & 16 != 0 { self.word()? } else { 8000 };
        let mut options = if what & 32 != 0 {
            self.bytes(40)?
        } else {
            Vec::new()
        };
        options.resize(options.len().next_multiple_of(4), 0);
        let payload = match what >> 6 {
            0 => Vec::new(),
            1 => vec![7; 1],
            2 => vec![7; usize::from(self.word()?) % 1400],
            _ => vec![7; 1400],
        };
        let local = match wire.local[usize::from(port) % PORTS] {
            0 => 7,
            local => local,
        };
        let mut segment = vec![0x03, 0xe8 + port % PORTS as u8];
        segment.extend(local.to_be_bytes());
        segment.extend(sequence.to_be_bytes());
        segment.extend(acknowledgement.to_be_bytes());
        segment.extend([((20 + options.len()) * 4) as u8 & 0xf0, flags]);
        segment.extend(window.to_be_bytes());
        segment.extend([0; 4]);
        segment.extend(options);
        segment.extend(payload);
        Some(packet(ipv6, 6, 64, &segment))
    }

    /// A DHCP message for the running transaction: the fixed part, and whatever options.
    fn dhcp(&mut self, wire: &Wire) -> Option<Vec<u8>> {
        let mut message = vec![2, 1, 6, 0];
        message.extend(wire.dhcp);
        message.extend([0; 8]);
        message.extend([10, 0, 0, self.byte()?]);
        message.extend([0; 8]);
        message.extend(OURS);
        message.resize(236, 0);
        message.extend([0x63, 0x82, 0x53, 0x63]);
        message.extend(self.bytes(300)?);
        let mut datagram = vec![0, 67, 0, 68];
        datagram.extend((8 + message.len() as u16).to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(message);
        Some(packet(false, 17, 64, &datagram))
    }
}

/// A frame with an IP packet from the peer to us.
pub(crate) fn packet(ipv6: bool, protocol: u8, hop_limit: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = OURS.to_vec();
    frame.extend(PEER);
    let len = payload.len() as u16;
    if ipv6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(len.to_be_bytes());
        frame.extend([protocol, hop_limit]);
        // Routers speak from link-local addresses.
        let from: std::net::Ipv6Addr = if payload.first() == Some(&134) {
            "fe80::1"
        } else {
            "fd00::1"
        }
        .parse()
        .unwrap();
        let to: std::net::Ipv6Addr = "fd00::2".parse().unwrap();
        frame.extend(from.octets());
        frame.extend(to.octets());
    } else {
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend((20 + len).to_be_bytes());
        frame.extend([0, 0, 0, 0, hop_limit, protocol, 0, 0]);
        frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        let sum: u32 = frame[14..34]
            .chunks(2)
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum();
        let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
    }
    frame.extend(payload);
    blank_or_complete(&mut frame, Offload::None);
    if (protocol == 1 || protocol == 58) && payload.len() >= 4 {
        let start = frame.len() - payload.len();
        icmp_checksum(&mut frame, start, ipv6);
    }
    frame
}

fn icmp_checksum(frame: &mut [u8], start: usize, ipv6: bool) {
    frame[start + 2..start + 4].fill(0);
    let len = (frame.len() - start) as u32;
    let mut sum = 0u32;
    let mut add = |bytes: &[u8]| {
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
        }
    };
    add(&frame[start..]);
    if ipv6 {
        add(&frame[22..54]);
        add(&(len + 58).to_be_bytes());
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    frame[start + 2..start + 4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

pub(crate) fn arp(operation: u8) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(PEER);
    frame.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, operation]);
    frame.extend(PEER);
    frame.extend([10, 0, 0, 1]);
    frame.extend(OURS);
    frame.extend([10, 0, 0, 2]);
    frame
}
