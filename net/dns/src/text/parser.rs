//! A master file as a whole, read in steps.

use alloc::string::String;
use alloc::vec::Vec;

use domain::base::iana::Rtype;

use super::data::data;
use super::lexer::{Lexer, Quoting, Start, Word};
use super::time::seconds;
use super::types::is_meta;
use super::{Reason, ZoneError};
use crate::key::Key;
use crate::name::Name;
use crate::zone::{Indexer, Octets, Record, Sorter, Zone};

/// Reads a zone file in steps, so that a large one does not keep others waiting.
#[derive(Debug)]
pub struct ZoneParser<'t> {
    file: String,
    /// What relative names are completed with.
    origin: Option<Name>,
    /// The zone's own name.
    apex: Option<Name>,
    octets: Octets,
    stage: Stage<'t>,
}

#[derive(Debug)]
enum Stage<'t> {
    Reading(Reading<'t>),
    Sorting(Sorter),
    Indexing(Indexer),
    /// It has ended, well or not.
    Over,
}

/// What is carried from one entry to the next.
#[derive(Debug)]
struct Reading<'t> {
    lexer: Lexer<'t>,
    records: Vec<Record>,
    /// Where the last owner's key is.
    owner: Option<u32>,
    /// By `$TTL` (RFC 2308 section 4).
    default_ttl: Option<u32>,
    /// Of the record before (RFC 1035 section 5.1).
    last_ttl: Option<u32>,
    /// For data on its way.
    scratch: Vec<u8>,
}

impl<'t> ZoneParser<'t> {
    /// A parser of `text`; otherwise as [`Zone::parse`].
    pub fn new(origin: Option<&Name>, file: &str, text: &'t [u8]) -> Self {
        Self {
            file: file.into(),
            origin: origin.copied(),
            apex: origin.copied(),
            octets: Octets::default(),
            stage: Stage::Reading(Reading {
                lexer: Lexer::new(text),
                records: Vec::new(),
                owner: None,
                default_ttl: None,
                last_ttl: None,
                scratch: Vec::new(),
            }),
        }
    }

    /// Goes on for about `budget` records. Gives the zone when it is whole, and nothing afterwards.
    ///
    /// # Errors
    ///
    /// As [`Zone::parse`]. Then there is nothing more to be had.
    pub fn step(&mut self, budget: usize) -> Result<Option<Zone>, ZoneError> {
        let stage = core::mem::replace(&mut self.stage, Stage::Over);
        let next = match stage {
            Stage::Reading(mut reading) => {
                let entries = self.read(&mut reading, budget);
                let line = reading.lexer.last_line();
                match entries.map_err(|reason| self.error(line, reason))? {
                    More::Yes => Stage::Reading(reading),
                    More::No => {
                        self.octets.shrink();
                        let sorter = Sorter::new(reading.records);
                        Stage::Sorting(sorter.map_err(|reason| self.error(0, reason))?)
                    }
                }
            }
            Stage::Sorting(mut sorter) => match sorter.step(&self.octets, budget) {
                true => Stage::Indexing(Indexer::new(sorter.finish())),
                false => Stage::Sorting(sorter),
            },
            Stage::Indexing(mut indexer) => {
                let done = indexer.step(&self.octets, budget);
                match done.map_err(|(line, reason)| self.error(line, reason))? {
                    true => return self.finish(indexer).map(Some),
                    false => Stage::Indexing(indexer),
                }
            }
            Stage::Over => return Ok(None),
        };
        self.stage = next;
        Ok(None)
    }

    fn finish(&mut self, indexer: Indexer) -> Result<Zone, ZoneError> {
        let (records, index) = indexer
            .finish()
            .map_err(|(line, reason)| self.error(line, reason))?;
        let apex = self.apex.ok_or_else(|| self.error(0, Reason::NoSoa))?;
        let octets = core::mem::take(&mut self.octets);
        Ok(Zone::new(apex, octets, records, index))
    }

    fn error(&self, line: u32, reason: Reason) -> ZoneError {
        ZoneError {
            file: self.file.clone(),
            line,
            reason,
        }
    }

    fn read(&mut self, reading: &mut Reading<'t>, budget: usize) -> Result<More, Reason> {
        for _ in 0..budget {
            match reading.lexer.begin()? {
                Start::End => return Ok(More::No),
                Start::Blank => self.record(reading, None)?,
                Start::Word => {
                    let word = reading.lexer.word()?.ok_or(Reason::NoType)?;
                    match word.raw {
                        [b'$', directive @ ..] if word.quoting == Quoting::Bare => {
                            self.directive(reading, directive)?;
                        }
                        _ => self.record(reading, Some(word))?,
                    }
                }
            }
        }
        Ok(More::Yes)
    }

    fn directive(&mut self, reading: &mut Reading<'t>, directive: &[u8]) -> Result<(), Reason> {
        let is = |name: &[u8]| directive.eq_ignore_ascii_case(name);
        if is(b"INCLUDE") {
            return Err(Reason::Include);
        }
        if !is(b"ORIGIN") && !is(b"TTL") {
            return Err(Reason::Directive);
        }
        let argument = reading.lexer.word()?.ok_or(Reason::DirectiveArgument)?.raw;
        if is(b"TTL") {
            reading.default_ttl = Some(seconds(argument).ok_or(Reason::Ttl)?);
        } else {
            self.origin = Some(Name::parse(argument, self.origin.as_ref())?);
        }
        match reading.lexer.has_word()? {
            true => Err(Reason::DirectiveArgument),
            false => reading.lexer.word().map(drop),
        }
    }

    fn record(&mut self, reading: &mut Reading<'t>, owner: Option<Word<'t>>) -> Result<(), Reason> {
        let owner = match owner {
            Some(word) => Some(Name::parse(word.raw, self.origin.as_ref())?),
            None => None,
        };
        let (ttl, rtype) = prefix(&mut reading.lexer)?;
        if let Some(name) = owner {
            self.set_owner(reading, &name, rtype)?;
        }
        let key = reading.owner.ok_or(Reason::NoOwner)?;
        reading.scratch.clear();
        data(
            &mut reading.lexer,
            rtype,
            self.origin.as_ref(),
            &mut reading.scratch,
        )?;
        let ttl = match ttl.or(reading.default_ttl).or(reading.last_ttl) {
            Some(ttl) => ttl,
            // RFC 1035 section 3.3.13: the SOA's minimum is what records have that say nothing.
            None if rtype == Rtype::SOA => minimum(&reading.scratch),
            None => return Err(Reason::NoTtl),
        };
        reading.last_ttl = Some(ttl);
        let line = reading.lexer.last_line();
        let record = self.octets.add(key, rtype, ttl, line, &reading.scratch)?;
        reading.records.try_reserve(1).map_err(|_| Reason::Memory)?;
        reading.records.push(record);
        Ok(())
    }

    fn set_owner(
        &mut self,
        reading: &mut Reading<'t>,
        name: &Name,
        rtype: Rtype,
    ) -> Result<(), Reason> {
        let apex = match self.apex {
            Some(apex) => apex,
            None if rtype == Rtype::SOA => *self.apex.insert(*name),
            None => return Err(Reason::NoOrigin),
        };
        let (key, apex) = (Key::of(name.wire()), Key::of(apex.wire()));
        let key = key
            .as_bytes()
            .strip_prefix(apex.as_bytes())
            .ok_or(Reason::OutOfZone)?;
        let same = reading
            .owner
            .is_some_and(|owner| self.octets.key_at(owner) == key);
        if !same {
            reading.owner = Some(self.octets.add_key(key)?);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Yes,
    No,
}

/// What stands between owner and data: the time to live and the class, in either order and each if it likes to, and the type.
fn prefix(lexer: &mut Lexer<'_>) -> Result<(Option<u32>, Rtype), Reason> {
    let (mut ttl, mut class) = (None, false);
    loop {
        let word = lexer.word()?.ok_or(Reason::NoType)?.raw;
        if word.first().is_some_and(u8::is_ascii_digit) && ttl.is_none() {
            ttl = Some(seconds(word).ok_or(Reason::Ttl)?);
        } else if let Some(is_in) = class_of(word).filter(|_| !class) {
            if !is_in {
                return Err(Reason::Class);
            }
            class = true;
        } else {
            let rtype = Rtype::from_bytes(word).ok_or(Reason::Type)?;
            return if is_meta(rtype) {
                Err(Reason::MetaType)
            } else {
                Ok((ttl, rtype))
            };
        }
    }
}

/// Whether a word is a class, and whether it is IN.
fn class_of(word: &[u8]) -> Option<bool> {
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if is(b"IN") || is(b"CLASS1") {
        return Some(true);
    }
    let numbered = word.len() > 5 && word[..5].eq_ignore_ascii_case(b"CLASS");
    let other = numbered || [b"CH", b"HS", b"CS"].iter().any(|name| is(*name));
    other.then_some(false)
}

/// The last of an SOA's numbers.
fn minimum(soa: &[u8]) -> u32 {
    let last = soa.last_chunk::<4>();
    last.map_or(0, |octets| u32::from_be_bytes(*octets))
}
