//! A record as the logger keeps it: with what the logger knows of it.

use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::{DomId, WallTime};

use crate::bytes::{Bytes, put_text};
use crate::{FormatError, MAX_RECORD, Record};

/// The longest name of a domain, in bytes of UTF-8.
pub const MAX_NAME: usize = 64;
/// The longest entry, in bytes of its format.
pub const MAX_ENTRY: usize = 1 + 2 + 8 + 1 + 2 + MAX_NAME + MAX_RECORD;

/// The version of the format.
const VERSION: u8 = 1;

/// What a domain is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// As the toolstack calls it.
    Known(String),
    /// As it says that it is called: the logger's domain may not read the toolstack's word.
    Claimed(String),
}

impl Name {
    /// The name alone.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(name) | Self::Claimed(name) => name,
        }
    }
}

/// A record that a logger has taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Whose it is: the domain at the other end of the vchan, whatever the record says.
    pub domain: DomId,
    /// What that domain is called.
    pub name: Name,
    /// When it came, by the logger's clock.
    pub received: WallTime,
    /// What the domain sent.
    pub record: Record,
}

/// A record's own time counts if it is at most so long before the record came, in nanoseconds.
const OLDEST: u64 = 3600 * 1_000_000_000;

impl Entry {
    /// When it happened: what the domain says, if that is at most an hour before the record came and not after it; else when it came.
    pub fn time(&self) -> WallTime {
        let (said, came) = (self.record.time.unix_nanos(), self.received.unix_nanos());
        if said <= came && came - said <= OLDEST {
            self.record.time
        } else {
            self.received
        }
    }

    /// The span of times that entries may have which came from the first to the second of these times.
    pub const fn span(first: WallTime, last: WallTime) -> (WallTime, WallTime) {
        let earliest = first.unix_nanos().saturating_sub(OLDEST);
        (WallTime::from_unix_nanos(earliest), last)
    }

    /// Appends it in its format: at most [`MAX_ENTRY`] bytes.
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.push(VERSION);
        into.extend_from_slice(&self.domain.number().to_le_bytes());
        into.extend_from_slice(&self.received.unix_nanos().to_le_bytes());
        into.push(match self.name {
            Name::Known(_) => 0,
            Name::Claimed(_) => 1,
        });
        put_text(self.name.as_str(), MAX_NAME, into);
        self.record.encode(into);
    }

    /// Reads what [`encode`](Self::encode) has made.
    ///
    /// # Errors
    ///
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut bytes = Bytes(bytes);
        match bytes.u8()? {
            VERSION => {}
            other => return Err(FormatError::Version(other)),
        }
        let domain = DomId::new(bytes.u16()?);
        let received = WallTime::from_unix_nanos(bytes.u64()?);
        let kind = bytes.u8()?;
        let name = bytes.text(MAX_NAME)?;
        let name = match kind {
            0 => Name::Known(name),
            1 => Name::Claimed(name),
            other => return Err(FormatError::Word(other)),
        };
        let record = Record::decode(bytes.0)?;
        Ok(Self {
            domain,
            name,
            received,
            record,
        })
    }
}
