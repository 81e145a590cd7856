//! Queries, which are whatever a stranger sends.

use domain::base::iana::Rtype;

use super::header::{CD, HEADER_LEN, QR, RD, opcode, rcode};
use crate::name::wire_len;

/// A query whose form is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'q> {
    pub(crate) message: &'q [u8],
    /// The name asked for, with its letters' case.
    pub(crate) name: &'q [u8],
    pub(crate) rtype: Rtype,
    pub(crate) class: u16,
    pub(crate) opcode: u8,
    pub(crate) edns: Option<Edns<'q>>,
    /// The serial number that whoever asks for a difference knows (RFC 1995 section 3).
    pub(crate) known_serial: Option<u32>,
}

impl Query<'_> {
    /// The question's octets: name, type and class.
    pub(crate) fn question(&self) -> &[u8] {
        &self.message[HEADER_LEN..HEADER_LEN + self.name.len() + 4]
    }

    /// The bits of a query that its answer repeats, in the octets 2 and 3 (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
    pub(crate) fn echoed(message: &[u8]) -> [u8; 2] {
        [message[2] & (RD | 0x78), message[3] & CD]
    }
}

/// What OPT says (RFC 6891 section 6.1.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edns<'q> {
    pub(crate) udp_size: u16,
    pub(crate) version: u8,
    pub(crate) options: Options,
    pub(crate) cookie: Option<&'q [u8]>,
}

/// Whether signatures are wanted (RFC 3225): DO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Options {
    Plain,
    Dnssec,
}

/// What a message is.
#[derive(Debug)]
pub(crate) enum Parsed<'q> {
    Query(Query<'q>),
    /// Not for us to answer: shorter than a header, or a response.
    Silence,
    /// It gets this response code, and whether there is a question that can be repeated.
    Wrong(u16),
}

/// The option with a cookie (RFC 7873 section 4).
const COOKIE: u16 = 10;
/// DO in the flags of OPT, which lie where other records have their time to live.
const DO: u8 = 0x80;
const OPT: u16 = 41;
const TSIG: u16 = 250;

/// Looks at a message.
pub(crate) fn parse(message: &[u8]) -> Parsed<'_> {
    let Some(header) = message.first_chunk::<HEADER_LEN>() else {
        return Parsed::Silence;
    };
    if header[2] & QR != 0 {
        return Parsed::Silence;
    }
    let opcode = header[2] >> 3 & 0x0f;
    if !matches!(opcode, opcode::QUERY | opcode::NOTIFY) {
        return Parsed::Wrong(rcode::NOTIMP);
    }
    match question(message, opcode) {
        Ok(query) => Parsed::Query(query),
        Err(Wrong::Form) => Parsed::Wrong(rcode::FORMERR),
        Err(Wrong::Signed) => Parsed::Wrong(rcode::NOTAUTH),
    }
}

enum Wrong {
    Form,
    /// There is a signature with a key, and we have none (RFC 8945 section 5.2.1).
    Signed,
}

fn question(message: &[u8], opcode: u8) -> Result<Query<'_>, Wrong> {
    let count = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let [questions, answers, authorities, additional] = [4, 6, 8, 10].map(count);
    if questions != 1 {
        return Err(Wrong::Form);
    }
    let mut rest = Rest(&message[HEADER_LEN..]);
    let name = rest.name()?;
    let rtype = Rtype::from_int(rest.u16()?);
    let class = rest.u16()?;
    // A notification may say the new SOA (RFC 1996 section 3.7), and a request for a difference which one it knows (RFC 1995 section 3).
    let (most_answers, most_authorities) = match (opcode, rtype) {
        (opcode::NOTIFY, _) => (1, 0),
        (_, Rtype::IXFR) => (0, 1),
        _ => (0, 0),
    };
    if answers > most_answers || authorities > most_authorities {
        return Err(Wrong::Form);
    }
    let mut known_serial = None;
    for _ in 0..answers + authorities {
        let data = rest.record()?.data;
        // An SOA's numbers are its last 20 octets.
        let numbers = data
            .len()
            .checked_sub(20)
            .and_then(|at| data[at..].first_chunk::<4>());
        known_serial = numbers.map(|serial| u32::from_be_bytes(*serial));
    }
    let mut edns = None;
    for place in 0..additional {
        let record = rest.record()?;
        match record.rtype {
            OPT if edns.is_some() || record.owner != [0] => return Err(Wrong::Form),
            OPT => edns = Some(options(&record)?),
            TSIG if place + 1 == additional => return Err(Wrong::Signed),
            TSIG => return Err(Wrong::Form),
            _ => {}
        }
    }
    if !rest.0.is_empty() {
        return Err(Wrong::Form);
    }
    Ok(Query {
        message,
        name,
        rtype,
        class,
        opcode,
        edns,
        known_serial,
    })
}

fn options<'q>(record: &Other<'q>) -> Result<Edns<'q>, Wrong> {
    let [_, version, flags, _] = record.ttl;
    let mut cookie = None;
    let mut rest = Rest(record.data);
    while !rest.0.is_empty() {
        let code = rest.u16()?;
        let len = usize::from(rest.u16()?);
        let value = rest.take(len)?;
        if code == COOKIE && cookie.is_none() {
            // RFC 7873 section 5.2.2.
            if !(value.len() == 8 || (16..=40).contains(&value.len())) {
                return Err(Wrong::Form);
            }
            cookie = Some(value);
        }
    }
    Ok(Edns {
        udp_size: record.class,
        version,
        options: match flags & DO {
            0 => Options::Plain,
            _ => Options::Dnssec,
        },
        cookie,
    })
}

/// A record in a query.
struct Other<'q> {
    owner: &'q [u8],
    rtype: u16,
    class: u16,
    ttl: [u8; 4],
    data: &'q [u8],
}

/// What has not been read yet.
struct Rest<'q>(&'q [u8]);

impl<'q> Rest<'q> {
    fn take(&mut self, len: usize) -> Result<&'q [u8], Wrong> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Wrong::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, Wrong> {
        let octets = self.take(2)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    /// A name without compression: in a question there is nothing before it that could be pointed to.
    fn name(&mut self) -> Result<&'q [u8], Wrong> {
        let len = wire_len(self.0).ok_or(Wrong::Form)?;
        self.take(len)
    }

    /// A name of which only its end matters: where it becomes a pointer, it ends.
    fn owner(&mut self) -> Result<&'q [u8], Wrong> {
        let whole = self.0;
        let mut len = 0;
        loop {
            let first = usize::from(*whole.get(len).ok_or(Wrong::Form)?);
            len += match first {
                0 => 1,
                1..64 => {
                    len += 1 + first;
                    continue;
                }
                0xc0.. => 2,
                _ => return Err(Wrong::Form),
            };
            return self.take(len);
        }
    }

    fn record(&mut self) -> Result<Other<'q>, Wrong> {
        let owner = self.owner()?;
        let rtype = self.u16()?;
        let class = self.u16()?;
        let ttl = self.take(4)?;
        let len = usize::from(self.u16()?);
        Ok(Other {
            owner,
            rtype,
            class,
            ttl: [ttl[0], ttl[1], ttl[2], ttl[3]],
            data: self.take(len)?,
        })
    }
}
