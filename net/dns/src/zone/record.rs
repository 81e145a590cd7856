//! Records as they are kept: numbers that say where their octets are.

use alloc::vec::Vec;
use core::cmp::Ordering;

use domain::base::iana::Rtype;

use crate::text::Reason;

/// A record. Its owner's key and its data lie in the store's octets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// Where the owner's key is, its length in two octets before it.
    key: u32,
    data: u32,
    pub(crate) ttl: u32,
    /// The line of the file that it ends in.
    pub(crate) line: u32,
    rtype: u16,
    data_len: u16,
}

impl Record {
    pub(crate) fn rtype(&self) -> Rtype {
        Rtype::from_int(self.rtype)
    }
}

/// The most octets that a zone's keys and data may take.
const MAX_OCTETS: usize = 512 << 20;

/// The octets of a zone's names and data.
#[derive(Debug, Default)]
pub(crate) struct Octets(Vec<u8>);

impl Octets {
    /// Keeps a key, and says where.
    pub(crate) fn add_key(&mut self, key: &[u8]) -> Result<u32, Reason> {
        let place = self.reserve(2 + key.len())?;
        self.0.extend_from_slice(&(key.len() as u16).to_be_bytes());
        self.0.extend_from_slice(key);
        Ok(place)
    }

    /// Keeps a record's data, and makes the record.
    pub(crate) fn add(
        &mut self,
        key: u32,
        rtype: Rtype,
        ttl: u32,
        line: u32,
        data: &[u8],
    ) -> Result<Record, Reason> {
        let place = self.reserve(data.len())?;
        self.0.extend_from_slice(data);
        Ok(Record {
            key,
            data: place,
            ttl,
            line,
            rtype: rtype.to_int(),
            data_len: data.len() as u16,
        })
    }

    fn reserve(&mut self, more: usize) -> Result<u32, Reason> {
        let place = self.0.len();
        if place + more > MAX_OCTETS {
            return Err(Reason::TooLarge);
        }
        self.0.try_reserve(more).map_err(|_| Reason::Memory)?;
        Ok(place as u32)
    }

    /// Gives back what is not needed, now that nothing will be added.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key that was kept there.
    pub(crate) fn key_at(&self, place: u32) -> &[u8] {
        let at = place as usize;
        let len = usize::from(u16::from_be_bytes([self.0[at], self.0[at + 1]]));
        &self.0[at + 2..at + 2 + len]
    }

    pub(crate) fn key(&self, record: &Record) -> &[u8] {
        self.key_at(record.key)
    }

    pub(crate) fn data(&self, record: &Record) -> &[u8] {
        let at = record.data as usize;
        &self.0[at..at + usize::from(record.data_len)]
    }

    /// Where a record's owner has its key.
    pub(crate) fn place(record: &Record) -> u32 {
        record.key
    }

    /// Whether two records have the same owner.
    pub(crate) fn same_owner(&self, one: &Record, other: &Record) -> bool {
        one.key == other.key || self.key(one) == self.key(other)
    }

    /// The order of records: by owner, by type, by data; signatures by the type that they cover, with which their data begins.
    pub(crate) fn order(&self, one: &Record, other: &Record) -> Ordering {
        let owners = match one.key == other.key {
            true => Ordering::Equal,
            false => self.key(one).cmp(self.key(other)),
        };
        owners
            .then(one.rtype.cmp(&other.rtype))
            .then_with(|| self.data(one).cmp(self.data(other)))
    }
}
