//! A zone.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use domain::base::iana::Rtype;

use super::index::{Index, Node};
use super::proof::Proof;
use super::record::{Octets, Record};
use crate::key::Key;
use crate::name::Name;
use crate::text::{ZoneError, ZoneParser};

/// A zone, ready to be asked. It does not change: another one takes its place.
pub struct Zone {
    origin: Name,
    key: Box<[u8]>,
    pub(super) octets: Octets,
    pub(super) records: Vec<Record>,
    pub(super) nodes: Vec<Node>,
    pub(super) chain: Vec<Node>,
    proof: Proof,
}

impl Zone {
    /// Reads a master file (RFC 1035 section 5) at once. [`ZoneParser`] does it in steps.
    ///
    /// Without an origin the first record must be the SOA, whose owner is the origin then. `file` is for errors.
    ///
    /// # Errors
    ///
    /// [`ZoneError`] says what is wrong, and where.
    pub fn parse(origin: Option<&Name>, file: &str, text: &[u8]) -> Result<Self, ZoneError> {
        let mut parser = ZoneParser::new(origin, file, text);
        loop {
            if let Some(zone) = parser.step(usize::MAX)? {
                return Ok(zone);
            }
        }
    }

    pub(crate) fn new(origin: Name, octets: Octets, records: Vec<Record>, index: Index) -> Self {
        Self {
            origin,
            key: Key::of(origin.wire()).as_bytes().into(),
            octets,
            records,
            nodes: index.nodes,
            chain: index.chain,
            proof: index.proof,
        }
    }

    /// The name at the top of the zone.
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// The origin's key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The SOA's serial number.
    pub fn serial(&self) -> u32 {
        self.soa_number(20)
    }

    /// For how long resolvers may remember that something is not there, in seconds (RFC 2308 section 5).
    pub(crate) fn negative_ttl(&self) -> u32 {
        let soa = self.set(self.apex(), Rtype::SOA);
        soa.ttl().min(self.soa_number(4))
    }

    /// One of the numbers at the end of the SOA's data, which begins `from_end` octets before its end.
    fn soa_number(&self, from_end: usize) -> u32 {
        let soa = self.set(self.apex(), Rtype::SOA);
        let data = soa.data().next().unwrap_or_default();
        let number = data
            .len()
            .checked_sub(from_end)
            .and_then(|at| data.get(at..at + 4));
        number.map_or(0, |octets| {
            octets
                .iter()
                .fold(0, |number, octet| number << 8 | u32::from(*octet))
        })
    }

    /// How many records it has.
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// How many names own records, without the hashes of NSEC3.
    pub fn name_count(&self) -> usize {
        self.nodes.len()
    }

    /// A record by its place in canonical order.
    pub(crate) fn record(&self, place: usize) -> Option<&Record> {
        self.records.get(place)
    }

    pub(crate) fn data(&self, record: &Record) -> &[u8] {
        self.octets.data(record)
    }

    pub(crate) fn key_of_record(&self, record: &Record) -> &[u8] {
        self.octets.key(record)
    }

    /// How many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.octets.len()
            + size_of::<Record>() * self.records.capacity()
            + size_of::<Node>() * (self.nodes.capacity() + self.chain.capacity())
    }

    /// The origin's node.
    pub(crate) fn apex(&self) -> &Node {
        // No zone is made without: `Indexer::finish`.
        &self.nodes[0]
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zone")
            .field("origin", &self.origin)
            .field("serial", &self.serial())
            .field("records", &self.record_count())
            .finish_non_exhaustive()
    }
}
