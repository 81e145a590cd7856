//! From sorted records to owners, with all that must hold in a zone.

use alloc::vec::Vec;

use domain::base::iana::Rtype;

use super::proof::Proof;
use super::record::{Octets, Record};
use crate::text::Reason;

/// An owner of records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Where its key is.
    pub(crate) key: u32,
    /// The first of its records.
    pub(crate) first: u32,
    /// How many it has.
    pub(crate) count: u16,
    pub(crate) kind: Kind,
}

/// What an owner means for the names below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing.
    Plain,
    /// Another zone begins here.
    Cut,
    /// They are other names (RFC 6672).
    Dname,
}

/// What has come of the records.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// All owners but the hashes of NSEC3, in canonical order.
    pub(crate) nodes: Vec<Node>,
    /// Those with an NSEC record, or the hashes.
    pub(crate) chain: Vec<Node>,
    pub(crate) proof: Proof,
}

/// Builds an index in steps.
#[derive(Debug)]
pub(crate) struct Indexer {
    records: Vec<Record>,
    /// How many of the records have been looked at, and how many of them are kept.
    read: usize,
    kept: usize,
    index: Index,
    /// Where the key of the last owner with a DNAME is.
    dname: Option<u32>,
}

/// A reason to refuse the zone, and the line.
pub(crate) type Refusal = (u32, Reason);

impl Indexer {
    pub(crate) fn new(records: Vec<Record>) -> Self {
        Self {
            records,
            read: 0,
            kept: 0,
            index: Index::default(),
            dname: None,
        }
    }

    /// Goes on for about `budget` records. True when there are no more.
    pub(crate) fn step(&mut self, octets: &Octets, budget: usize) -> Result<bool, Refusal> {
        let until = self.read.saturating_add(budget);
        while self.read < until.min(self.records.len()) {
            let node = self.owner(octets)?;
            self.check(octets, node)?;
        }
        Ok(self.read == self.records.len())
    }

    /// The records and the index, when there are no more.
    pub(crate) fn finish(mut self) -> Result<(Vec<Record>, Index), Refusal> {
        if self.index.nodes.is_empty() {
            return Err((0, Reason::NoSoa));
        }
        self.records.truncate(self.kept);
        self.records.shrink_to_fit();
        self.index.nodes.shrink_to_fit();
        self.index.chain.shrink_to_fit();
        Ok((self.records, self.index))
    }

    /// Takes the records of the next owner, each once, with one time to live for each set.
    fn owner(&mut self, octets: &Octets) -> Result<Node, Refusal> {
        let first = self.kept;
        let head = self.records[self.read];
        while let Some(&record) = self.records.get(self.read) {
            if !octets.same_owner(&head, &record) {
                break;
            }
            self.read += 1;
            let last = (self.kept > first).then(|| self.records[self.kept - 1]);
            if let Some(last) = last
                && octets.order(&last, &record).is_eq()
            {
                continue;
            }
            self.records[self.kept] = record;
            self.kept += 1;
        }
        let count =
            u16::try_from(self.kept - first).map_err(|_| (head.line, Reason::TooManyRecords))?;
        let set = |record: &Record| (record.rtype(), covered(octets, record));
        for records in
            self.records[first..self.kept].chunk_by_mut(|one, other| set(one) == set(other))
        {
            // RFC 2181 section 5.2: they must not differ. The lowest does no harm.
            let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
            records.iter_mut().for_each(|record| record.ttl = ttl);
        }
        Ok(Node {
            key: Octets::place(&head),
            first: first as u32,
            count,
            kind: Kind::Plain,
        })
    }

    fn check(&mut self, octets: &Octets, mut node: Node) -> Result<(), Refusal> {
        let records = &self.records[node.first as usize..self.kept];
        let key = octets.key_at(node.key);
        let head = records[0].line;
        let count = |rtype| {
            records
                .iter()
                .filter(|record| record.rtype() == rtype)
                .count()
        };
        let line_of = |rtype| {
            let line = records.iter().rev().find(|record| record.rtype() == rtype);
            line.map_or(head, |record| record.line)
        };
        let apex = key.is_empty();
        match (apex, count(Rtype::SOA)) {
            (true, 1) | (false, 0) => {}
            (true, 0) => return Err((0, Reason::NoSoa)),
            _ => return Err((line_of(Rtype::SOA), Reason::StraySoa)),
        }
        // Keys are sorted: the origin's is the first, if it has any record.
        if !apex && self.index.nodes.is_empty() {
            return Err((0, Reason::NoSoa));
        }
        if apex {
            if count(Rtype::NS) == 0 {
                return Err((0, Reason::NoNs));
            }
            self.index.proof = Proof::of_zone(octets, records)?;
        }
        let aside = count(Rtype::RRSIG) + count(Rtype::NSEC) + count(Rtype::KEY);
        let aliases = count(Rtype::CNAME);
        if aliases > 1 || aliases == 1 && records.len() > 1 + aside {
            return Err((line_of(Rtype::CNAME), Reason::Cname));
        }
        if count(Rtype::DNAME) > 1 {
            return Err((line_of(Rtype::DNAME), Reason::Dname));
        }
        if count(Rtype::NSEC3) > 0 {
            return self.hash(octets, node, head);
        }
        if let Some(dname) = self.dname
            && key.starts_with(octets.key_at(dname))
        {
            return Err((head, Reason::BelowDname));
        }
        if !apex && count(Rtype::NS) > 0 {
            node.kind = Kind::Cut;
        } else if count(Rtype::DNAME) > 0 {
            node.kind = Kind::Dname;
            self.dname = Some(node.key);
        }
        let chained = self.index.proof.is_nsec() && count(Rtype::NSEC) > 0;
        let out_of_memory = |_| (head, Reason::Memory);
        if chained {
            self.index.chain.try_reserve(1).map_err(out_of_memory)?;
            self.index.chain.push(node);
        }
        self.index.nodes.try_reserve(1).map_err(out_of_memory)?;
        self.index.nodes.push(node);
        Ok(())
    }

    /// An owner that is a hash: no name that could be asked for (RFC 5155 section 7.2.8).
    fn hash(&mut self, octets: &Octets, node: Node, line: u32) -> Result<(), Refusal> {
        let records = &self.records[node.first as usize..self.kept];
        let key = octets.key_at(node.key);
        let digits = key.len() == 33
            && key[..32]
                .iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'v'));
        if !digits {
            return Err((line, Reason::Nsec3Owner));
        }
        let ours = records.iter().any(|record| {
            self.index
                .proof
                .is_of_chain(record.rtype(), octets.data(record))
        });
        if ours {
            self.index
                .chain
                .try_reserve(1)
                .map_err(|_| (line, Reason::Memory))?;
            self.index.chain.push(node);
        }
        Ok(())
    }
}

/// The type that a signature covers; of other records, none.
pub(crate) fn covered(octets: &Octets, record: &Record) -> Option<Rtype> {
    if record.rtype() != Rtype::RRSIG {
        return None;
    }
    let data = octets.data(record);
    Some(Rtype::from_int(u16::from_be_bytes([data[0], data[1]])))
}
