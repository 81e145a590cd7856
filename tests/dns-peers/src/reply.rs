//! Answers, taken apart so that they can be compared.

use std::collections::BTreeMap;
use std::fmt;

use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData;
use domain::base::wire::{Parse, ParseError};
use domain::base::{Message, ParsedName, ParsedRecord, ToName};
use domain::dep::octseq::Parser;
use domain::rdata::AllRecordData;

use crate::name;

/// The records of one owner and type, without an order.
#[derive(Clone, Debug)]
pub struct Rrset {
    /// Seconds; all of them if they differ, which they must not (RFC 2181, section 5.2).
    pub(crate) ttls: Vec<u32>,
    /// In canonical form (RFC 4034, section 6.2), sorted.
    pub(crate) data: Vec<Vec<u8>>,
    /// The same as text.
    shown: Vec<String>,
}

/// The case of letters is no difference (RFC 4343, section 3): compression may take it from another place.
impl PartialEq for Rrset {
    fn eq(&self, other: &Self) -> bool {
        self.ttls == other.ttls && self.data == other.data
    }
}

impl Eq for Rrset {}

impl Rrset {
    /// Leaves each record once; tells whether one was there more than once.
    pub(crate) fn drop_repeated(&mut self) -> bool {
        let before = self.data.len();
        self.data.dedup();
        self.data.len() < before
    }
}

/// What tells RRsets apart: the owner in lower case, the class, the type, and for signatures the type that they cover.
pub(crate) type Key = (Vec<u8>, u16, u16, u16);

/// The RRsets of a section.
pub(crate) type Section = BTreeMap<Key, Rrset>;

/// EDNS (RFC 6891).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edns {
    pub(crate) size: u16,
    pub(crate) version: u8,
    /// DO and the bits beside it.
    pub(crate) flags: u16,
    pub(crate) options: Vec<(u16, Vec<u8>)>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The second pair of octets of the header: QR, opcode, AA, TC, RD, RA, Z, AD, CD, and the lower part of the response code.
    pub(crate) flags: u16,
    /// With the upper part of it, which is in the OPT record.
    pub(crate) rcode: u16,
    /// Its octets: the name as it was asked for, with its case, and type and class.
    pub(crate) question: Vec<u8>,
    /// Answer, authority, additional.
    pub(crate) sections: [Section; 3],
    pub(crate) edns: Option<Edns>,
    pub(crate) length: usize,
}

/// The bit TC of a header's flags (RFC 1035, section 4.1.1).
pub(crate) const TRUNCATED: u16 = 0x0200;
/// The bit AA.
pub(crate) const AUTHORITATIVE: u16 = 0x0400;
/// The bit CD.
pub(crate) const CHECKING_DISABLED: u16 = 0x0010;
/// The bits of the opcode.
pub(crate) const OPCODE: u16 = 0x7800;

impl Reply {
    /// Takes a message apart.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(octets: &[u8]) -> Result<Self, String> {
        let message = Message::from_octets(octets).map_err(|error| error.to_string())?;
        let flags = u16::from_be_bytes([octets[2], octets[3]]);
        let mut reply = Self {
            flags,
            rcode: flags & 0x0f,
            question: Vec::new(),
            sections: Default::default(),
            edns: None,
            length: octets.len(),
        };
        let mut parser = Parser::from_ref(octets);
        parser.advance(12).map_err(|error| error.to_string())?;
        let counts = message.header_counts();
        for _ in 0..counts.qdcount() {
            let name = ParsedName::parse(&mut parser).map_err(wrong("question"))?;
            let wire: Vec<u8> = name.to_vec().into_octets();
            let kind = u32::parse(&mut parser).map_err(wrong("question"))?;
            reply.question.extend(wire);
            reply.question.extend(kind.to_be_bytes());
        }
        let counts = [counts.ancount(), counts.nscount(), counts.arcount()];
        for (place, (count, what)) in counts.into_iter().zip(SECTIONS).enumerate() {
            for _ in 0..count {
                let record = ParsedRecord::parse(&mut parser).map_err(wrong(what))?;
                reply.take(place, &record)?;
            }
        }
        match parser.remaining() {
            0 => Ok(reply),
            more => Err(format!("{more} octets behind the last record")),
        }
    }

    fn take(&mut self, place: usize, record: &ParsedRecord<'_, [u8]>) -> Result<(), String> {
        let owner = record.owner().to_vec().into_octets();
        let shown = name::text(&owner);
        let wrong = |error| format!("{shown} {}: {error}", record.rtype());
        let (rtype, class, ttl) = (record.rtype(), record.class().to_int(), record.ttl());
        let whole = record.to_any_record::<AllRecordData<&[u8], ParsedName<&[u8]>>>();
        let whole = whole.map_err(wrong)?;
        let mut data = Vec::new();
        // Writing to a vector does not fail.
        let _ = whole.data().compose_canonical_rdata(&mut data);
        if matches!(rtype, Rtype::SVCB | Rtype::HTTPS) {
            lower_target(&mut data);
        }
        if rtype == Rtype::OPT {
            return self.extend(place, &owner, class, ttl.as_secs(), &data);
        }
        let covered = match rtype {
            Rtype::RRSIG => u16::from_be_bytes([data[0], data[1]]),
            _ => 0,
        };
        let key = (owner.to_ascii_lowercase(), class, rtype.to_int(), covered);
        let set = self.sections[place].entry(key).or_insert_with(|| Rrset {
            ttls: Vec::new(),
            data: Vec::new(),
            shown: Vec::new(),
        });
        let text = format!("{shown} {} {rtype} {}", ttl.as_secs(), whole.data());
        let at = set.data.partition_point(|other| *other <= data);
        set.data.insert(at, data);
        set.shown.insert(at, text);
        set.ttls.push(ttl.as_secs());
        set.ttls.sort_unstable();
        set.ttls.dedup();
        Ok(())
    }

    fn extend(
        &mut self,
        place: usize,
        owner: &[u8],
        size: u16,
        ttl: u32,
        data: &[u8],
    ) -> Result<(), String> {
        if place != 2 || owner != [0] || self.edns.is_some() {
            return Err("an OPT record where none may be".into());
        }
        let [upper, version, flags @ ..] = ttl.to_be_bytes();
        self.rcode |= u16::from(upper) << 4;
        let mut options = Vec::new();
        let mut rest = data;
        while let Some((head, more)) = rest.split_first_chunk::<4>() {
            let [code, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
            let value = more
                .get(..usize::from(length))
                .ok_or("an option is too long")?;
            options.push((code, value.to_vec()));
            rest = &more[usize::from(length)..];
        }
        self.edns = Some(Edns {
            size,
            version,
            flags: u16::from_be_bytes(flags),
            options,
        });
        Ok(())
    }

    /// Whether a bit or more of the header's flags is set.
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// The sections' names.
pub(crate) const SECTIONS: [&str; 3] = ["answer", "authority", "additional"];

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (0x8000, "qr"),
            (AUTHORITATIVE, "aa"),
            (TRUNCATED, "tc"),
            (0x0100, "rd"),
            (0x0080, "ra"),
            (0x0040, "z"),
            (0x0020, "ad"),
            (CHECKING_DISABLED, "cd"),
        ];
        let set = names.iter().filter(|(bit, _)| self.has(*bit));
        let set: Vec<&str> = set.map(|(_, name)| *name).collect();
        let opcode = (self.flags & OPCODE) >> 11;
        writeln!(
            f,
            "  rcode {} opcode {opcode} flags {} octets {} question {:02x?}",
            self.rcode,
            set.join(" "),
            self.length,
            self.question
        )?;
        if let Some(edns) = &self.edns {
            writeln!(f, "  {edns:?}")?;
        }
        for (section, name) in self.sections.iter().zip(SECTIONS) {
            for line in section.values().flat_map(|set| &set.shown) {
                writeln!(f, "  {name}: {line}")?;
            }
        }
        Ok(())
    }
}

/// Tells where something is wrong.
fn wrong(place: &str) -> impl Fn(ParseError) -> String {
    move |error| format!("{place}: {error}")
}

/// NSD gives the target's name in lower case. That is no difference (RFC 4343, section 3), though canonical form keeps the case (RFC 9460, section
/// 2.2).
fn lower_target(data: &mut [u8]) {
    let mut place = 2;
    while let Some(&length) = data.get(place)
        && length > 0
    {
        let end = data.len().min(place + 1 + usize::from(length));
        data[place + 1..end].make_ascii_lowercase();
        place = end;
    }
}
