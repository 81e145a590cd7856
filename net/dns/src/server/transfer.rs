//! Transfers of whole zones (RFC 5936).

use alloc::rc::Rc;
use alloc::vec::Vec;

use domain::base::iana::Rtype;

use crate::key::name_below;
use crate::wire::{AA, Full, Owner, Section, Writer};
use crate::zone::{Record, Zone};

/// The size that a message of a transfer has about: as far as pointers reach.
const MESSAGE: usize = 16_384;
/// The longest message over TCP.
const MAX_MESSAGE: usize = 65_535;

/// A zone on its way to a peer, message by message.
#[derive(Debug)]
pub struct Transfer {
    zone: Rc<Zone>,
    id: [u8; 2],
    echoed: [u8; 2],
    question: Vec<u8>,
    /// What the first message has at its end, if the query said something there (RFC 5936 section 2.2.5).
    opt: Vec<u8>,
    next: Place,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    First,
    Record(usize),
    Over,
}

impl Transfer {
    pub(super) fn new(
        zone: Rc<Zone>,
        id: [u8; 2],
        echoed: [u8; 2],
        question: &[u8],
        opt: Vec<u8>,
    ) -> Self {
        Self {
            zone,
            id,
            echoed,
            question: question.into(),
            opt,
            next: Place::First,
        }
    }

    /// Appends the next message to `out`, without the length that goes before it. False if there is none any more: then nothing is appended.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.next == Place::Over {
            return false;
        }
        let zone = Rc::clone(&self.zone);
        let mut writer = Writer::new(out, MAX_MESSAGE, self.id, self.echoed, &self.question);
        writer.set(AA);
        let mut place = match self.next {
            Place::First => {
                // The SOA is the first record and the last (section 2.2).
                let _ = soa(&zone, &mut writer);
                0
            }
            Place::Record(place) => place,
            Place::Over => return false,
        };
        self.next = loop {
            let Some(record) = zone.record(place) else {
                match soa(&zone, &mut writer) {
                    Ok(()) => break Place::Over,
                    Err(Full) => break Place::Record(place),
                }
            };
            let mark = writer.mark();
            if record.rtype() != Rtype::SOA && write(&zone, record, &mut writer).is_err() {
                writer.back(&mark);
                break Place::Record(place);
            }
            place += 1;
            if writer.len() >= MESSAGE {
                break Place::Record(place);
            }
        };
        if !self.opt.is_empty() {
            writer.end(&core::mem::take(&mut self.opt));
        }
        true
    }
}

fn soa(zone: &Zone, writer: &mut Writer<'_>) -> Result<(), Full> {
    let set = zone.set(zone.apex(), Rtype::SOA);
    let mark = writer.mark();
    for data in set.data() {
        let owner = Owner::Name(zone.origin().wire());
        if writer
            .record(Section::Answer, owner, Rtype::SOA, set.ttl(), data)
            .is_err()
        {
            writer.back(&mark);
            return Err(Full);
        }
    }
    Ok(())
}

fn write(zone: &Zone, record: &Record, writer: &mut Writer<'_>) -> Result<(), Full> {
    // A key in a zone is one of its names.
    let Some(owner) = name_below(zone.key_of_record(record), zone.origin().wire()) else {
        return Ok(());
    };
    let owner = Owner::Name(owner.wire());
    writer.record(
        Section::Answer,
        owner,
        record.rtype(),
        record.ttl,
        zone.data(record),
    )
}
