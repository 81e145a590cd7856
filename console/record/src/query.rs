//! Which entries somebody wants to see.

use alloc::string::String;
use alloc::vec::Vec;

use log::Level;
use morgana_hal::{DomId, WallTime};

use crate::bytes::{Bytes, put_text};
use crate::record::{level, number};
use crate::{Entry, FormatError};

/// The longest text in a query, in bytes of UTF-8.
pub const MAX_TEXT: usize = 256;

/// Whose records.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Whose {
    /// All domains'.
    #[default]
    All,
    /// The domain's of this number.
    Id(DomId),
    /// All domains' that are called so.
    Name(String),
}

/// Whether there is an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Follow {
    /// What is there now.
    #[default]
    No,
    /// Also what comes later.
    Yes,
}

/// Which entries: those that fit all of it. By default all that are there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// Whose.
    pub whose: Whose,
    /// Of this level, or such as matter more.
    pub level: Level,
    /// Whose target begins so. Empty: any.
    pub target: String,
    /// In whose message or a field's value this is found, as it is written. Empty: any.
    pub text: String,
    /// Not earlier.
    pub since: WallTime,
    /// Not later.
    pub until: WallTime,
    /// Whose number is at least this one.
    pub from: u64,
    /// Whether there is an end.
    pub follow: Follow,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            whose: Whose::All,
            level: Level::Trace,
            target: String::new(),
            text: String::new(),
            since: WallTime::from_unix_nanos(0),
            until: WallTime::from_unix_nanos(u64::MAX),
            from: 0,
            follow: Follow::No,
        }
    }
}

impl Query {
    /// Whether an entry is wanted; its number is not looked at.
    pub fn wants(&self, entry: &Entry) -> bool {
        let record = &entry.record;
        let whose = match &self.whose {
            Whose::All => true,
            Whose::Id(domain) => *domain == entry.domain,
            Whose::Name(name) => name == entry.name.as_str(),
        };
        let time = entry.time();
        whose
            && record.level <= self.level
            && (self.since..=self.until).contains(&time)
            && record.target.starts_with(&self.target)
            && self.has_text(entry)
    }

    fn has_text(&self, entry: &Entry) -> bool {
        let has = |text: &str| text.contains(&self.text);
        let mut fields = entry.record.fields.iter();
        has(&entry.record.message) || fields.any(|(_, value)| has(value))
    }

    /// Whether any entry may be wanted of those that came from the first to the second of these times.
    pub fn may_want(&self, first: WallTime, last: WallTime) -> bool {
        let (earliest, latest) = Entry::span(first, last);
        self.since <= latest && earliest <= self.until
    }

    /// Appends it in its format.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let (kind, id, name) = match &self.whose {
            Whose::All => (0, 0, ""),
            Whose::Id(domain) => (1, domain.number(), ""),
            Whose::Name(name) => (2, 0, name.as_str()),
        };
        into.push(kind);
        into.extend_from_slice(&id.to_le_bytes());
        put_text(name, MAX_TEXT, into);
        into.push(number(self.level));
        put_text(&self.target, MAX_TEXT, into);
        put_text(&self.text, MAX_TEXT, into);
        for number in [self.since.unix_nanos(), self.until.unix_nanos(), self.from] {
            into.extend_from_slice(&number.to_le_bytes());
        }
        into.push(match self.follow {
            Follow::No => 0,
            Follow::Yes => 1,
        });
    }

    /// Reads what [`encode`](Self::encode) has made.
    ///
    /// # Errors
    ///
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut bytes = Bytes(bytes);
        let (kind, id, name) = (bytes.u8()?, bytes.u16()?, bytes.text(MAX_TEXT)?);
        // What a kind has no use for is empty.
        let whose = match (kind, id) {
            (0, 0) if name.is_empty() => Whose::All,
            (1, id) if name.is_empty() => Whose::Id(DomId::new(id)),
            (2, 0) => Whose::Name(name),
            (other, _) => return Err(FormatError::Word(other)),
        };
        let query = Self {
            whose,
            level: level(bytes.u8()?)?,
            target: bytes.text(MAX_TEXT)?,
            text: bytes.text(MAX_TEXT)?,
            since: WallTime::from_unix_nanos(bytes.u64()?),
            until: WallTime::from_unix_nanos(bytes.u64()?),
            from: bytes.u64()?,
            follow: match bytes.u8()? {
                0 => Follow::No,
                1 => Follow::Yes,
                other => return Err(FormatError::Word(other)),
            },
        };
        bytes.end()?;
        Ok(query)
    }
}
