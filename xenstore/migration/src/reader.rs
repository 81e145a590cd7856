//! Reading a stream.

use crate::connection::padding;
use crate::record::END;
use crate::writer::{IDENT, VERSION};
use crate::{BadState, Flaw, Record};

/// Reads a stream record by record.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    stream: &'a [u8],
    /// Where the next record begins.
    at: usize,
    /// Where the last one began.
    last: usize,
    /// How many records were read.
    records: usize,
    version: u32,
    end: End,
    is_over: bool,
}

/// How it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// With the record of that name.
    Record,
    /// With its last byte.
    Bytes,
}

impl<'a> Reader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`BadState`].
    pub fn new(stream: &'a [u8]) -> Result<Self, BadState> {
        let bad = |flaw| BadState {
            record: 0,
            offset: 0,
            flaw,
        };
        let rest = stream.strip_prefix(&IDENT).ok_or(bad(Flaw::Ident))?;
        let (version, rest) = rest.split_first_chunk().ok_or(bad(Flaw::Truncated))?;
        let (flags, rest) = rest.split_first_chunk().ok_or(bad(Flaw::Truncated))?;
        // The header alone is in the order of the network.
        let (version, flags) = (u32::from_be_bytes(*version), u32::from_be_bytes(*flags));
        if version == 0 || version > VERSION {
            return Err(bad(Flaw::Version(version)));
        }
        if flags != 0 {
            return Err(bad(Flaw::Flags(flags)));
        }
        Ok(Self {
            stream,
            at: stream.len() - rest.len(),
            last: 0,
            records: 0,
            version,
            end: End::Record,
            is_over: false,
        })
    }

    /// Reads records that no header comes before, and no end after: those of a journal's frame.
    pub const fn of_changes(records: &'a [u8]) -> Self {
        Self {
            stream: records,
            at: 0,
            last: 0,
            records: 0,
            version: VERSION,
            end: End::Bytes,
            is_over: false,
        }
    }

    /// The next record; none after the last. Not an `Iterator`: nothing comes after an error.
    ///
    /// # Errors
    ///
    /// [`BadState`], now and ever after.
    #[expect(
        clippy::should_implement_trait,
        reason = "nothing comes after an error"
    )]
    pub fn next(&mut self) -> Result<Option<Record<'a>>, BadState> {
        if self.is_over {
            return Ok(None);
        }
        match self.record() {
            Ok((record, end)) => {
                self.last = self.at;
                self.at = end;
                self.records += 1;
                self.is_over = record.is_none();
                Ok(record)
            }
            Err(flaw) => Err(self.bad(flaw)),
        }
    }

    /// Which record was read last, from 1 on, and where it begins: for those who find that it does not fit.
    pub const fn last(&self) -> (usize, usize) {
        (self.records, self.last)
    }

    /// What was wrong with the record that was read last, or is to be read.
    fn bad(&self, flaw: Flaw) -> BadState {
        BadState {
            record: self.records + 1,
            offset: self.at,
            flaw,
        }
    }

    /// The record that comes next, and where it ends.
    fn record(&self) -> Result<(Option<Record<'a>>, usize), Flaw> {
        let rest = self.stream.get(self.at..).unwrap_or_default();
        if self.end == End::Bytes && rest.is_empty() {
            return Ok((None, self.at));
        }
        let (kind, rest) = rest.split_first_chunk().ok_or(Flaw::Truncated)?;
        let (len, rest) = rest.split_first_chunk().ok_or(Flaw::Truncated)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| Flaw::Truncated)?;
        let body = rest.get(..len).ok_or(Flaw::Truncated)?;
        let end = self.stream.len() - rest.len() + len + padding(len);
        match u32::from_le_bytes(*kind) {
            END => Ok((None, end)),
            kind => Ok((Some(Record::parse(kind, self.version, body)?), end)),
        }
    }
}
