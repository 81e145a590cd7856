//! The queries that a seed makes.

use std::fmt;

use crate::name;
use crate::random::Random;
use crate::world::World;

/// How a query comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram.
    Udp,
    /// On a connection.
    Tcp,
}

/// A query.
#[derive(Clone, Debug)]
pub struct Case {
    /// How it is sent.
    pub transport: Transport,
    /// The message, with an id that is the case's place among the others.
    pub message: Vec<u8>,
    /// What it asks for, if it is well-formed.
    pub(crate) asked: Option<Asked>,
}

/// What a well-formed query asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) edns: Option<Options>,
}

/// The EDNS part of a query.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) size: u16,
    pub(crate) version: u8,
    pub(crate) flags: u16,
    pub(crate) options: Vec<(u16, Vec<u8>)>,
}

impl Case {
    /// The longest answer that may come (RFC 1035, section 4.2.1; RFC 6891, section 6.2.3): no server here sends more than 1,232 octets by UDP.
    pub(crate) fn room(&self) -> usize {
        let edns = self.asked.as_ref().and_then(|asked| asked.edns.as_ref());
        match self.transport {
            Transport::Tcp => 65_535,
            Transport::Udp => edns.map_or(512, |edns| edns.size.clamp(512, 1232)).into(),
        }
    }

    /// Whether it asks for signatures (RFC 3225).
    pub(crate) fn wants_proof(&self) -> bool {
        let edns = self.asked.as_ref().and_then(|asked| asked.edns.as_ref());
        edns.is_some_and(|edns| edns.flags & 0x8000 != 0)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.asked {
            Some(asked) => {
                let Asked {
                    name,
                    rtype,
                    class,
                    edns,
                } = asked;
                write!(
                    f,
                    "{name} type {rtype} class {class} {:?} {edns:?}",
                    self.transport
                )?;
            }
            None => write!(f, "malformed, {:?}", self.transport)?,
        }
        write!(f, " ")?;
        self.message
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Types that are asked for: those of the zones, those of DNSSEC, and some that are in no zone.
const TYPES: [u16; 33] = [
    1, 1, 1, 28, 28, 2, 2, 5, 6, 12, 15, 16, 16, 33, 43, 43, 46, 47, 48, 50, 51, 44, 52, 64, 65,
    257, 255, 255, 65_280, 731, 99, 39, 254,
];

/// `count` well-formed queries for the zones of a world.
pub fn cases(world: &World, seed: u64, count: usize) -> Vec<Case> {
    let mut random = Random::new(seed ^ world.seed().rotate_left(32));
    (0..count)
        .map(|place| case(world, &mut random, place))
        .collect()
}

/// `count` queries that are not well-formed, or not certainly so.
pub fn malformed(world: &World, seed: u64, count: usize) -> Vec<Case> {
    let mut random = Random::new(!seed ^ world.seed().rotate_left(32));
    let mut cases: Vec<Case> = (0..count)
        .map(|place| case(world, &mut random, place))
        .collect();
    for case in &mut cases {
        for _ in 0..random.below(3) + 1 {
            damage(&mut case.message, &mut random);
        }
        case.asked = None;
    }
    cases
}

fn case(world: &World, random: &mut Random, place: usize) -> Case {
    let name = asked_name(world, random);
    let rtype = match random.below(50) {
        0 => random.number() as u16,
        _ => TYPES[random.below(TYPES.len())],
    };
    let class = match random.below(100) {
        0 => 3,
        1 => [4, 254, 255, 0, 2, 65_280][random.below(6)],
        _ => 1,
    };
    let asked = Asked {
        name,
        rtype,
        class,
        edns: edns(random),
    };
    let transport = match random.below(8) {
        0 => Transport::Tcp,
        _ => Transport::Udp,
    };
    // RD, AD and CD: what a server does with them is told. The others mean nothing in a query.
    let flags = match random.below(4) {
        0 => 0x0100,
        1 => random.number() as u16 & 0x0130,
        _ => 0,
    };
    let message = message(place as u16, flags, &asked, random);
    Case {
        transport,
        message,
        asked: Some(asked),
    }
}

fn message(id: u16, flags: u16, asked: &Asked, random: &mut Random) -> Vec<u8> {
    let mut labels = name::labels(&asked.name);
    if random.happens(20) {
        for octet in labels.iter_mut().flatten() {
            if random.happens(50) {
                octet.make_ascii_uppercase();
            }
        }
    }
    let extra = u16::from(asked.edns.is_some());
    let mut message = Vec::new();
    for number in [id, flags, 1, 0, 0, extra] {
        message.extend(number.to_be_bytes());
    }
    message.extend(name::wire(&labels));
    message.extend(asked.rtype.to_be_bytes());
    message.extend(asked.class.to_be_bytes());
    if let Some(edns) = &asked.edns {
        message.extend([0, 0, 41]);
        message.extend(edns.size.to_be_bytes());
        message.extend([0, edns.version]);
        message.extend(edns.flags.to_be_bytes());
        let mut data: Vec<u8> = Vec::new();
        for (code, value) in &edns.options {
            data.extend(code.to_be_bytes());
            data.extend((value.len() as u16).to_be_bytes());
            data.extend(value);
        }
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
    }
    message
}

fn edns(random: &mut Random) -> Option<Options> {
    if random.happens(25) {
        return None;
    }
    let size = match random.below(10) {
        0 => [0, 100, 511, 513, 65_535][random.below(5)],
        1 => 512,
        2 => 1400,
        3 => 4096,
        _ => 1232,
    };
    let version = match random.below(50) {
        0 => 1,
        1 => random.octet(),
        _ => 0,
    };
    let flags = match random.below(20) {
        0..10 => 0x8000,
        10 => random.number() as u16,
        _ => 0,
    };
    let options = match random.below(12) {
        // For local use (RFC 6891, section 9).
        0 => vec![(65_001 + random.below(500) as u16, b"whatever".to_vec())],
        // Padding (RFC 7830).
        1 => vec![(12, vec![0; random.below(40)])],
        _ => Vec::new(),
    };
    Some(Options {
        size,
        version,
        flags,
        options,
    })
}

/// A name that is there, one near it, or any other.
fn asked_name(world: &World, random: &mut Random) -> String {
    const LABELS: [&str; 8] = ["a", "www", "x", "*", "deep", "nothing", r"\255", "0"];
    let zone = &world.zones()[random.below(world.zones().len())];
    let mut name = match random.below(10) {
        0 => zone.origin().to_owned(),
        1 => format!("{}.{}", random.of(&LABELS), zone.origin()),
        _ => zone.names()[random.below(zone.names().len())].clone(),
    };
    match random.below(12) {
        0..=3 => {}
        4 | 5 => name = format!("{}.{name}", random.of(&LABELS)),
        6 => name = format!("{}.{}.{name}", random.of(&LABELS), random.of(&LABELS)),
        7 | 8 => name = parent(&name),
        9 => name = format!("{}.{}", random.of(&LABELS), parent(&name)),
        10 => name = name.replacen('a', "b", 1),
        _ if random.happens(10) => name = ".".into(),
        _ => {}
    }
    if name::length(&name) > 255 {
        parent(&parent(&name))
    } else {
        name
    }
}

/// The name without its first label.
fn parent(name: &str) -> String {
    let wire = name::wire(&name::labels(name));
    match wire[0] {
        0 => ".".into(),
        length => name::text(&wire[usize::from(length) + 1..]),
    }
}

/// Breaks a message, mostly. The id stays, where there is one.
fn damage(message: &mut Vec<u8>, random: &mut Random) {
    let length = message.len();
    match random.below(12) {
        // Cut off.
        0 => message.truncate(random.below(length + 1)),
        1 => message.truncate(12.min(length)),
        // Something behind it.
        2 => message.extend((0..random.below(20) + 1).map(|_| random.octet())),
        // Any octet.
        3..=5 => {
            if length > 2 {
                message[2 + random.below(length - 2)] = random.octet();
            }
        }
        // Counts that lie.
        6 | 7 => {
            if length >= 12 {
                let place = 4 + 2 * random.below(4) + 1;
                message[place] = [0, 1, 2, 255][random.below(4)];
            }
        }
        // An opcode, or an answer.
        8 => {
            if length > 3 {
                message[2] = random.octet() & 0xf9;
            }
        }
        // A pointer, or a label of another kind, in the name.
        9 | 10 => {
            if length > 13 {
                let at = 12 + random.below(3.min(length - 13));
                message[at] = [0xc0, 0x40, 0x80, 0xc1, 0xff][random.below(5)];
                message[at + 1] = [0, 12, 13, 14, 255][random.below(5)];
            }
        }
        // A second OPT record, or one that is not there.
        _ => {
            if length > 12 {
                message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
                message[11] = message[11].wrapping_add(1);
            }
        }
    }
}
