//! One record, as its domain makes it.

use alloc::string::String;
use alloc::vec::Vec;

use log::Level;
use morgana_hal::WallTime;

use crate::FormatError;
use crate::bytes::{Bytes, cut, put_text};

/// The longest target, in bytes of UTF-8.
pub const MAX_TARGET: usize = 128;
/// The longest message, in bytes of UTF-8.
pub const MAX_MESSAGE: usize = 2048;
/// Fields of a record.
pub const MAX_FIELDS: usize = 16;
/// The longest key of a field, in bytes of UTF-8.
pub const MAX_KEY: usize = 32;
/// The longest value of a field, in bytes of UTF-8.
pub const MAX_VALUE: usize = 256;
/// The longest record, in bytes of its format.
pub const MAX_RECORD: usize = 4096;

/// The version of the format.
const VERSION: u8 = 1;

/// A record. Texts may be of any length here; what is over a limit is cut when the record is encoded, and an ellipsis says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When it was made, by its domain's clock.
    pub time: WallTime,
    /// How much it matters.
    pub level: Level,
    /// What part of the program it is about.
    pub target: String,
    /// What happened.
    pub message: String,
    /// Keys and values.
    pub fields: Vec<(String, String)>,
}

const ELLIPSIS: &str = "…";

impl Record {
    /// Appends it in its format: at most [`MAX_RECORD`] bytes. Fields for which there is no room are left out.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let start = into.len();
        into.push(VERSION);
        into.push(number(self.level));
        into.extend_from_slice(&self.time.unix_nanos().to_le_bytes());
        put_cut(&self.target, MAX_TARGET, into);
        put_cut(&self.message, MAX_MESSAGE, into);
        let count = into.len();
        into.push(0);
        for (key, value) in self.fields.iter().take(MAX_FIELDS) {
            let before = into.len();
            put_cut(key, MAX_KEY, into);
            put_cut(value, MAX_VALUE, into);
            if into.len() - start > MAX_RECORD {
                into.truncate(before);
                break;
            }
            into[count] += 1;
        }
    }

    /// Reads what [`encode`](Self::encode) has made, and nothing behind it.
    ///
    /// # Errors
    ///
    /// [`FormatError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_RECORD {
            return Err(FormatError::Limit);
        }
        let mut bytes = Bytes(bytes);
        match bytes.u8()? {
            VERSION => {}
            other => return Err(FormatError::Version(other)),
        }
        let level = level(bytes.u8()?)?;
        let time = WallTime::from_unix_nanos(bytes.u64()?);
        let target = bytes.text(MAX_TARGET)?;
        let message = bytes.text(MAX_MESSAGE)?;
        let count = usize::from(bytes.u8()?);
        if count > MAX_FIELDS {
            return Err(FormatError::Limit);
        }
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push((bytes.text(MAX_KEY)?, bytes.text(MAX_VALUE)?));
        }
        bytes.end()?;
        Ok(Self {
            time,
            level,
            target,
            message,
            fields,
        })
    }
}

/// Appends a text, whose end is an ellipsis if it is too long.
fn put_cut(text: &str, most: usize, into: &mut Vec<u8>) {
    if text.len() <= most {
        return put_text(text, most, into);
    }
    let mut shorter = String::from(cut(text, most - ELLIPSIS.len()));
    shorter.push_str(ELLIPSIS);
    put_text(&shorter, most, into);
}

/// The number of a level: 1 is an error, 5 a trace.
pub(crate) fn number(level: Level) -> u8 {
    level as u8
}

pub(crate) fn level(number: u8) -> Result<Level, FormatError> {
    Level::iter()
        .find(|level| *level as u8 == number)
        .ok_or(FormatError::Word(number))
}
