//! Notifications that a zone has changed (RFC 1996), to those who transfer it.

use alloc::vec::Vec;

use domain::base::iana::Rtype;

use crate::wire::{AA, HEADER_LEN, Owner, Section, Writer, opcode};
use crate::zone::Zone;

/// A notification that has been sent, to know its answer by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    message: Vec<u8>,
}

/// Makes a notification of a zone's SOA (section 3.7).
pub fn notification(zone: &Zone, id: u16) -> Notification {
    let mut question = zone.origin().wire().to_vec();
    question.extend_from_slice(&Rtype::SOA.to_int().to_be_bytes());
    question.extend_from_slice(&[0, 1]);
    let mut message = Vec::new();
    let mut writer = Writer::new(
        &mut message,
        usize::MAX,
        id.to_be_bytes(),
        [opcode::NOTIFY << 3, 0],
        &question,
    );
    writer.set(AA);
    let set = zone.set(zone.apex(), Rtype::SOA);
    for data in set.data() {
        // Without a limit it fits.
        let _ = writer.record(
            Section::Answer,
            Owner::Question,
            Rtype::SOA,
            set.ttl(),
            data,
        );
    }
    // It is a query, not a response.
    message[2] &= 0x7f;
    Notification { message }
}

impl Notification {
    /// The message to send.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Whether a message is its answer, whatever that says: then nothing needs to be sent again (section 3.6).
    pub fn is_answered_by(&self, message: &[u8]) -> bool {
        let Some(header) = message.first_chunk::<HEADER_LEN>() else {
            return false;
        };
        header[..2] == self.message[..2] && header[2] & 0xf8 == 0x80 | opcode::NOTIFY << 3
    }
}
