//! Records of one owner and one type.

use domain::base::iana::Rtype;

use super::index::{Node, covered};
use super::record::{Octets, Record};
use super::whole::Zone;

/// Records of one owner and one type, or its signatures over one type. It may be empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set<'z> {
    octets: &'z Octets,
    records: &'z [Record],
}

impl<'z> Set<'z> {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Its time to live in seconds; 0 if it is empty.
    pub(crate) fn ttl(&self) -> u32 {
        self.records.first().map_or(0, |record| record.ttl)
    }

    /// Each record's data.
    pub(crate) fn data(&self) -> impl Iterator<Item = &'z [u8]> + use<'z> {
        let octets = self.octets;
        self.records.iter().map(move |record| octets.data(record))
    }
}

impl Zone {
    fn records_of(&self, node: &Node) -> &[Record] {
        let first = node.first as usize;
        &self.records[first..first + usize::from(node.count)]
    }

    /// A node's records of a type.
    pub(crate) fn set(&self, node: &Node, rtype: Rtype) -> Set<'_> {
        self.range(node, |record| record.rtype().to_int().cmp(&rtype.to_int()))
    }

    /// A node's signatures over the records of a type.
    pub(crate) fn signatures(&self, node: &Node, rtype: Rtype) -> Set<'_> {
        let wanted = Some(rtype.to_int());
        self.range(node, |record| {
            let number = record.rtype().to_int().cmp(&Rtype::RRSIG.to_int());
            number.then_with(|| {
                covered(&self.octets, record)
                    .map(Rtype::to_int)
                    .cmp(&wanted)
            })
        })
    }

    /// The type of a node's first set, that is of most use to whoever asks for anything (RFC 8482 section 4.1).
    pub(crate) fn any_type(&self, node: &Node) -> Option<Rtype> {
        let records = self.records_of(node);
        let aside = |rtype| matches!(rtype, Rtype::RRSIG | Rtype::NSEC);
        let types = || records.iter().map(Record::rtype);
        types()
            .find(|rtype| !aside(*rtype))
            .or_else(|| types().next())
    }

    fn range(&self, node: &Node, order: impl Fn(&Record) -> core::cmp::Ordering) -> Set<'_> {
        let records = self.records_of(node);
        let start = records.partition_point(|record| order(record).is_lt());
        let rest = &records[start..];
        let end = rest.partition_point(|record| order(record).is_eq());
        Set {
            octets: &self.octets,
            records: &rest[..end],
        }
    }
}
