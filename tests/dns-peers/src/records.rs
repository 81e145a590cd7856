//! The records of a zone that is being made, and the master file that they become (RFC 1035, section 5).

use std::collections::{BTreeMap, BTreeSet};

use crate::name;
use crate::random::Random;

/// A record: its owner is an absolute name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) owner: String,
    pub(crate) rtype: &'static str,
    pub(crate) data: String,
}

/// How a master file is written.
#[derive(Debug)]
pub(crate) enum Written<'a> {
    /// A record a line, and nothing left out.
    Plain,
    /// With all that the syntax allows.
    Varied(&'a mut Random),
}

/// The records of a zone. It keeps the rules: no two data beside a CNAME, and no record twice.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    origin: String,
    records: Vec<Record>,
    types: BTreeMap<String, BTreeSet<&'static str>>,
    targets: BTreeSet<String>,
}

/// What may stand beside nothing else.
const ALONE: [&str; 1] = ["CNAME"];

impl Records {
    pub(crate) fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            records: Vec::new(),
            types: BTreeMap::new(),
            targets: BTreeSet::new(),
        }
    }

    /// An absolute name below the origin.
    pub(crate) fn below(&self, name: &str) -> String {
        match name {
            "@" => self.origin.clone(),
            name => format!("{name}.{}", self.origin),
        }
    }

    /// Adds a record, where the rules allow it. `owner` is absolute.
    pub(crate) fn add(&mut self, owner: &str, rtype: &'static str, data: &str) {
        if name::length(owner) > 255 || !name::is_within(owner, &self.origin) {
            return;
        }
        let types = self.types.entry(owner.to_ascii_lowercase()).or_default();
        let mut alone = ALONE.iter();
        let taken = alone.any(|kind| types.contains(kind) || *kind == rtype && !types.is_empty());
        let record = Record {
            owner: owner.to_owned(),
            rtype,
            data: data.to_owned(),
        };
        let same = |other: &Record| {
            other.rtype == rtype
                && other.owner.eq_ignore_ascii_case(owner)
                && other.data.eq_ignore_ascii_case(data)
        };
        if !taken && !self.records.iter().any(same) {
            types.insert(rtype);
            self.records.push(record);
        }
    }

    /// Notes a name that data names.
    pub(crate) fn target(&mut self, name: &str) {
        self.targets.insert(name.to_owned());
    }

    /// Takes out the delegations that have no DS, and all that is below them.
    pub(crate) fn split_insecure(&mut self) -> Self {
        let cuts: Vec<String> = self
            .types
            .iter()
            .filter(|(owner, types)| {
                types.contains("NS")
                    && !types.contains("DS")
                    && !owner.eq_ignore_ascii_case(&self.origin)
            })
            .map(|(owner, _)| owner.clone())
            .collect();
        let is_below = |record: &Record| {
            let mut cuts = cuts.iter();
            cuts.any(|cut| name::is_within(&record.owner, cut))
        };
        let records = core::mem::take(&mut self.records);
        let (insecure, rest) = records.into_iter().partition(is_below);
        self.records = rest;
        let mut split = Self::new(&self.origin);
        split.records = insecure;
        split
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.records.extend(other.records);
    }

    /// The names above owners, which have no records themselves or may have some, in lower case. The origin and what is above it are not among them.
    pub(crate) fn above(&self) -> BTreeSet<String> {
        let mut above = BTreeSet::new();
        for record in &self.records {
            let labels = name::labels(&record.owner.to_ascii_lowercase());
            let least = name::labels(&self.origin).len();
            for skip in 1..labels.len().saturating_sub(least) {
                above.insert(name::text(&name::wire(&labels[skip..])));
            }
        }
        above
    }

    /// The owners, in lower case and with the escapes that `name::text` makes.
    pub(crate) fn owners(&self) -> BTreeSet<String> {
        let owners = self.records.iter().map(|record| {
            let labels = name::labels(&record.owner.to_ascii_lowercase());
            name::text(&name::wire(&labels))
        });
        owners.collect()
    }

    /// All owners and targets.
    pub(crate) fn names(&self) -> Vec<String> {
        let owners = self.records.iter().map(|record| record.owner.clone());
        let names: BTreeSet<String> = owners.chain(self.targets.iter().cloned()).collect();
        names.into_iter().collect()
    }

    /// One line a record.
    pub(crate) fn lines(&self) -> String {
        let lines = self.records.iter().map(|record| {
            let ttl = ttl(record);
            format!(
                "{} {ttl} IN {} {}\n",
                record.owner, record.rtype, record.data
            )
        });
        lines.collect()
    }

    /// The master file.
    pub(crate) fn write(&self, written: Written<'_>) -> String {
        match written {
            Written::Plain => self.lines(),
            Written::Varied(random) => self.varied(random),
        }
    }

    fn varied(&self, random: &mut Random) -> String {
        let mut text = format!("; {}\n$TTL 900\n$ORIGIN {}\n", self.origin, self.origin);
        let mut last = None;
        for record in &self.records {
            let owner = match last {
                Some(owner) if owner == &record.owner && random.happens(60) => String::new(),
                _ => self.relative(&record.owner, random),
            };
            last = Some(&record.owner);
            let ttl = ttl(record);
            let middle = match random.below(4) {
                _ if ttl == 900 && random.happens(50) => "IN".into(),
                0 => format!("{ttl} IN"),
                1 => format!("IN {ttl}"),
                2 => format!("{ttl}\tin"),
                _ => ttl.to_string(),
            };
            let rtype = match random.below(3) {
                0 => record.rtype.to_ascii_lowercase(),
                _ => record.rtype.to_owned(),
            };
            let data = match random.below(4) {
                0 => format!("( {} ) ; in parentheses", record.data),
                1 => format!("(\n  {}\n  ; a comment ) in them\n)", record.data),
                _ => record.data.clone(),
            };
            text += &format!("{owner} {middle} {rtype} {data}\n");
            if random.happens(5) {
                text += "   ; nothing but a comment\n\n";
            }
        }
        text
    }

    fn relative(&self, owner: &str, random: &mut Random) -> String {
        let below = owner.strip_suffix(&format!(".{}", self.origin));
        match below {
            Some(below) if random.happens(70) => below.to_owned(),
            None if owner == self.origin && random.happens(70) => "@".to_owned(),
            _ => owner.to_owned(),
        }
    }
}

/// The TTL of a record: all of a set have the same (RFC 2181, section 5.2).
fn ttl(record: &Record) -> u32 {
    let owner = record.owner.to_ascii_lowercase();
    let octets = owner.bytes().chain(record.rtype.bytes());
    let mixed = octets.fold(7u32, |mixed, octet| {
        mixed.wrapping_mul(31).wrapping_add(octet.into())
    });
    match mixed % 4 {
        0 | 1 => 900,
        2 => mixed % 100_000,
        _ => 86_400,
    }
}
