//! What goes over a vchan between a domain and the logger: messages, each a kind (one byte), a length (two, little-endian) and so many bytes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::{Bytes, put_text};
use crate::{Entry, FormatError, MAX_ENTRY, MAX_NAME, Query, Record};

/// The longest message, in bytes.
pub const MAX_FRAME: usize = HEADER + 8 + MAX_ENTRY;

const HEADER: usize = 3;
/// Begins a connection: "morgana log".
const MAGIC: [u8; 4] = *b"mlog";
/// The version of the protocol.
const VERSION: u8 = 1;

/// What a domain wants of the logger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// To send records.
    Send {
        /// A number that stays while the domain runs its program: records of the same session have different numbers.
        session: u64,
        /// What the domain is called, it says.
        name: String,
    },
    /// To read entries.
    Read(Query),
}

/// A message to the logger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToLogger {
    /// The first one.
    Hello(Role),
    /// A record. Numbers grow by one.
    Record(u64, Record),
}

/// A message from the logger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToDomain {
    /// Records with lower numbers than this are kept: they outlive the logger.
    Kept(u64),
    /// An entry that fits the query, and its number.
    Entry(u64, Entry),
    /// So many entries were overwritten before they were read.
    Lost(u64),
    /// All entries that there were have come. The number that the next one will have.
    UpToDate(u64),
    /// The logger does not serve this connection.
    Refused(Refusal),
}

/// Why the logger does not serve a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refusal {
    /// It serves as many as it can.
    TooMany = 1,
    /// The domain may not read what it asks for.
    NotAllowed = 2,
}

impl Refusal {
    fn of(word: u8) -> Result<Self, FormatError> {
        [Self::TooMany, Self::NotAllowed]
            .into_iter()
            .find(|refusal| *refusal as u8 == word)
            .ok_or(FormatError::Word(word))
    }
}

const SEND: u8 = 1;
const READ: u8 = 2;
const RECORD: u8 = 3;
const KEPT: u8 = 16;
const ENTRY: u8 = 17;
const LOST: u8 = 18;
const UP_TO_DATE: u8 = 19;
const REFUSED: u8 = 20;

impl ToLogger {
    /// Appends it in its format.
    pub fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Self::Hello(Role::Send { session, name }) => frame(SEND, into, |into| {
                hello(into);
                into.extend_from_slice(&session.to_le_bytes());
                put_text(name, MAX_NAME, into);
            }),
            Self::Hello(Role::Read(query)) => frame(READ, into, |into| {
                hello(into);
                query.encode(into);
            }),
            Self::Record(number, record) => frame(RECORD, into, |into| {
                into.extend_from_slice(&number.to_le_bytes());
                record.encode(into);
            }),
        }
    }

    fn decode(kind: u8, bytes: &[u8]) -> Result<Self, FormatError> {
        let mut bytes = Bytes(bytes);
        if matches!(kind, SEND | READ) {
            if bytes.take(MAGIC.len())? != MAGIC {
                return Err(FormatError::Magic);
            }
            match bytes.u8()? {
                VERSION => {}
                other => return Err(FormatError::Version(other)),
            }
        }
        Ok(match kind {
            SEND => {
                let (session, name) = (bytes.u64()?, bytes.text(MAX_NAME)?);
                bytes.end()?;
                Self::Hello(Role::Send { session, name })
            }
            READ => Self::Hello(Role::Read(Query::decode(bytes.0)?)),
            RECORD => Self::Record(bytes.u64()?, Record::decode(bytes.0)?),
            other => return Err(FormatError::Kind(other)),
        })
    }
}

impl ToDomain {
    /// Appends it in its format.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let number = |kind, number: u64, into: &mut Vec<u8>| {
            frame(kind, into, |into| {
                into.extend_from_slice(&number.to_le_bytes());
            });
        };
        match self {
            Self::Kept(before) => number(KEPT, *before, into),
            Self::Entry(number, entry) => frame(ENTRY, into, |into| {
                into.extend_from_slice(&number.to_le_bytes());
                entry.encode(into);
            }),
            Self::Lost(count) => number(LOST, *count, into),
            Self::UpToDate(next) => number(UP_TO_DATE, *next, into),
            Self::Refused(why) => frame(REFUSED, into, |into| into.push(*why as u8)),
        }
    }

    fn decode(kind: u8, bytes: &[u8]) -> Result<Self, FormatError> {
        let mut bytes = Bytes(bytes);
        Ok(match kind {
            ENTRY => Self::Entry(bytes.u64()?, Entry::decode(bytes.0)?),
            KEPT | LOST | UP_TO_DATE => {
                let number = bytes.u64()?;
                bytes.end()?;
                match kind {
                    KEPT => Self::Kept(number),
                    LOST => Self::Lost(number),
                    _ => Self::UpToDate(number),
                }
            }
            REFUSED => {
                let why = Refusal::of(bytes.u8()?)?;
                bytes.end()?;
                Self::Refused(why)
            }
            other => return Err(FormatError::Kind(other)),
        })
    }
}

fn hello(into: &mut Vec<u8>) {
    into.extend_from_slice(&MAGIC);
    into.push(VERSION);
}

/// Appends a message whose content `fill` appends: of at most as many bytes as a message has.
fn frame(kind: u8, into: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    into.extend_from_slice(&[kind, 0, 0]);
    let start = into.len();
    fill(into);
    let len = into.len() - start;
    debug_assert!(HEADER + len <= MAX_FRAME);
    // Every text in it is cut to its limit, so it is far less than 65,536.
    into[start - 2..start].copy_from_slice(&(len as u16).to_le_bytes());
}

/// Finds messages in a stream. It holds at most one that is not whole, and what was added last.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// How many of the bytes were messages that have been taken.
    taken: usize,
}

impl Frames {
    /// Adds what was read.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message to the logger, if it is whole.
    ///
    /// # Errors
    ///
    /// [`FormatError`]; after it the stream has no sense any more.
    pub fn to_logger(&mut self) -> Result<Option<ToLogger>, FormatError> {
        self.next(ToLogger::decode)
    }

    /// The next message from the logger, if it is whole.
    ///
    /// # Errors
    ///
    /// [`FormatError`]; after it the stream has no sense any more.
    pub fn to_domain(&mut self) -> Result<Option<ToDomain>, FormatError> {
        self.next(ToDomain::decode)
    }

    fn next<T>(
        &mut self,
        decode: impl FnOnce(u8, &[u8]) -> Result<T, FormatError>,
    ) -> Result<Option<T>, FormatError> {
        let rest = &self.bytes[self.taken..];
        let Some((&[kind, low, high], content)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        let len = usize::from(u16::from_le_bytes([low, high]));
        if HEADER + len > MAX_FRAME {
            return Err(FormatError::Limit);
        }
        let Some(content) = content.get(..len) else {
            return Ok(None);
        };
        let message = decode(kind, content)?;
        self.taken += HEADER + len;
        Ok(Some(message))
    }
}
