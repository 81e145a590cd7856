//! Answers on their way out.

use alloc::vec::Vec;

use domain::base::iana::Rtype;

use super::header::{HEADER_LEN, QR, TC};
use crate::name::{label_step, wire_len};
use crate::text::Field;

/// How many names, or rather their ends, are remembered for compression. Further ones are written in full.
const MAX_NAMES: usize = 64;
/// What a pointer can point to (RFC 1035 section 4.1.4).
const POINTABLE: usize = 0x4000;

/// There is no room for a record within the answer's limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

/// Where a record goes. Sections are written in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    Answer,
    Authority,
    Additional,
}

/// A record's owner.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'n> {
    /// The name that was asked for.
    Question,
    Name(&'n [u8]),
}

/// Writes one message behind what its buffer has already.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// Where the message begins.
    start: usize,
    /// How long it may become.
    limit: usize,
    /// Where in the message the names are that may be pointed to.
    names: [u16; MAX_NAMES],
    name_count: usize,
}

/// A point that can be gone back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    len: usize,
    name_count: usize,
    counts: [u8; 6],
}

impl<'o> Writer<'o> {
    /// A message that answers a question: its name, type and class. `echoed` are the bits that are the query's own.
    pub(crate) fn new(
        out: &'o mut Vec<u8>,
        limit: usize,
        id: [u8; 2],
        echoed: [u8; 2],
        question: &[u8],
    ) -> Self {
        let start = out.len();
        out.extend_from_slice(&id);
        out.extend_from_slice(&[echoed[0] | QR, echoed[1]]);
        out.extend_from_slice(&[0, u8::from(!question.is_empty()), 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(question);
        let mut writer = Self {
            out,
            start,
            limit,
            names: [0; MAX_NAMES],
            name_count: 0,
        };
        let mut at = HEADER_LEN;
        while let step @ 1.. = label_step(question.get(at - HEADER_LEN..).unwrap_or_default()) {
            writer.remember(at);
            at += step;
        }
        writer
    }

    /// Appends a whole record to the last section, whatever the limit.
    pub(crate) fn end(&mut self, record: &[u8]) {
        self.out.extend_from_slice(record);
        // A message that full would be longer than any.
        let _ = self.count(Section::Additional);
    }

    pub(crate) fn len(&self) -> usize {
        self.out.len() - self.start
    }

    fn message(&self) -> &[u8] {
        &self.out[self.start..]
    }

    /// Sets flags in the octet 2, of which AA and TC are.
    pub(crate) fn set(&mut self, flags: u8) {
        self.out[self.start + 2] |= flags;
    }

    /// Sets the response code's lower bits.
    pub(crate) fn set_rcode(&mut self, rcode: u16) {
        let octet = &mut self.out[self.start + 3];
        *octet = *octet & 0xf0 | (rcode & 0x0f) as u8;
    }

    pub(crate) fn mark(&self) -> Mark {
        let mut counts = [0; 6];
        counts.copy_from_slice(&self.message()[6..12]);
        Mark {
            len: self.out.len(),
            name_count: self.name_count,
            counts,
        }
    }

    /// Takes back what has been written since.
    pub(crate) fn back(&mut self, mark: &Mark) {
        self.out.truncate(mark.len);
        self.name_count = mark.name_count;
        self.out[self.start + 6..self.start + 12].copy_from_slice(&mark.counts);
    }

    /// Says that not all fits, and leaves only the question (RFC 2181 section 9): whoever asks has to come back over TCP anyway.
    pub(crate) fn truncate(&mut self, question: usize) {
        self.out.truncate(self.start + HEADER_LEN + question);
        self.out[self.start + 6..self.start + 12].fill(0);
        self.set(TC);
    }

    /// Writes a record. Names in `data` are compressed if `fields` says where they are.
    pub(crate) fn record(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: Rtype,
        ttl: u32,
        data: &[u8],
    ) -> Result<(), Full> {
        match owner {
            Owner::Question => self.out.extend_from_slice(&[0xc0, HEADER_LEN as u8]),
            Owner::Name(name) => self.name(name),
        }
        self.out.extend_from_slice(&rtype.to_int().to_be_bytes());
        self.out.extend_from_slice(&[0, 1]);
        self.out.extend_from_slice(&ttl.to_be_bytes());
        let len_at = self.out.len();
        self.out.extend_from_slice(&[0, 0]);
        self.data(rtype, data);
        let len = self.out.len() - len_at - 2;
        self.out[len_at..len_at + 2].copy_from_slice(&(len as u16).to_be_bytes());
        if self.len() > self.limit {
            return Err(Full);
        }
        self.count(section)
    }

    fn count(&mut self, section: Section) -> Result<(), Full> {
        let at = self.start
            + match section {
                Section::Answer => 6,
                Section::Authority => 8,
                Section::Additional => 10,
            };
        let count = u16::from_be_bytes([self.out[at], self.out[at + 1]]);
        let count = count.checked_add(1).ok_or(Full)?;
        self.out[at..at + 2].copy_from_slice(&count.to_be_bytes());
        Ok(())
    }

    fn data(&mut self, rtype: Rtype, data: &[u8]) {
        let mut rest = data;
        for field in compressed(rtype) {
            let len = match field {
                Field::Name => wire_len(rest).unwrap_or(rest.len()),
                _ => 2.min(rest.len()),
            };
            let (part, after) = rest.split_at(len);
            match field {
                Field::Name => self.name(part),
                _ => self.out.extend_from_slice(part),
            }
            rest = after;
        }
        self.out.extend_from_slice(rest);
    }

    /// Writes a name, the end of it as a pointer if it stands in the message already.
    fn name(&mut self, name: &[u8]) {
        let mut rest = name;
        while let step @ 1.. = label_step(rest) {
            if let Some(place) = self.find(rest) {
                self.out.extend_from_slice(&(0xc000 | place).to_be_bytes());
                return;
            }
            self.remember(self.len());
            self.out.extend_from_slice(&rest[..step]);
            rest = &rest[step..];
        }
        self.out.push(0);
    }

    fn remember(&mut self, at: usize) {
        if at < POINTABLE && self.name_count < MAX_NAMES {
            self.names[self.name_count] = at as u16;
            self.name_count += 1;
        }
    }

    fn find(&self, name: &[u8]) -> Option<u16> {
        let message = self.message();
        self.names[..self.name_count]
            .iter()
            .copied()
            .find(|place| is_at(message, usize::from(*place), name))
    }
}

/// Whether a name is written at that place of our own message.
fn is_at(message: &[u8], place: usize, name: &[u8]) -> bool {
    let (mut at, mut rest) = (place, name);
    loop {
        let (Some(&first), Some(&len)) = (message.get(at), rest.first()) else {
            return false;
        };
        if first >= 0xc0 {
            let Some(&low) = message.get(at + 1) else {
                return false;
            };
            // Our pointers lead to what was written before.
            at = usize::from(first & 0x3f) << 8 | usize::from(low);
            continue;
        }
        if first != len {
            return false;
        }
        if len == 0 {
            return true;
        }
        let step = 1 + usize::from(len);
        match (message.get(at..at + step), rest.get(..step)) {
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => {}
            _ => return false,
        }
        at += step;
        rest = &rest[step..];
    }
}

/// The fields that data begins with, up to the last name that may be compressed: those of RFC 1035 alone (RFC 3597 section 4).
fn compressed(rtype: Rtype) -> &'static [Field] {
    match rtype {
        Rtype::NS | Rtype::CNAME | Rtype::PTR => &[Field::Name],
        Rtype::MX => &[Field::U16, Field::Name],
        Rtype::SOA => &[Field::Name, Field::Name],
        _ => &[],
    }
}
