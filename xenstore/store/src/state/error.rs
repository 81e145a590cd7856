//! Why a stream makes no store.

use core::fmt;

use morgana_xenstore_migration::{BadState, Flaw};

/// Why a stream makes no store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadError {
    /// Which record: the first is 1; 0 is the header.
    pub record: usize,
    /// Where it begins, in bytes from the stream's beginning.
    pub offset: usize,
    /// What is wrong with it.
    pub misfit: Misfit,
}

/// What a record has that does not fit the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misfit {
    /// It is no record.
    Flaw(Flaw),
    /// A connection that is not known.
    Connection(u32),
    /// A connection or a domain that is there already.
    Twice,
    /// A transaction that is not known.
    Transaction(u32),
    /// A path by no rules.
    Path,
    /// A node whose parent is not there.
    Parent,
    /// A node that nobody owns.
    Owner,
    /// A change that cannot be made again; in journals only, as is the next.
    Step,
    /// A record that has no business there.
    Stranger,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flaw(flaw) => flaw.fmt(f),
            Self::Connection(id) => write!(f, "connection {id} is not known"),
            Self::Twice => f.write_str("it was there before"),
            Self::Transaction(id) => write!(f, "transaction {id} is not known"),
            Self::Path => f.write_str("a path is none"),
            Self::Parent => f.write_str("a node comes before the one above it"),
            Self::Owner => f.write_str("a node has no owner"),
            Self::Step => f.write_str("the change cannot be made again"),
            Self::Stranger => f.write_str("such a record has no business there"),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            record,
            offset,
            misfit,
        } = self;
        match record {
            0 => write!(f, "the header of the state: {misfit}"),
            _ => write!(
                f,
                "record {record} of the state, at byte {offset}: {misfit}"
            ),
        }
    }
}

impl core::error::Error for LoadError {}

impl From<BadState> for LoadError {
    fn from(bad: BadState) -> Self {
        Self {
            record: bad.record,
            offset: bad.offset,
            misfit: Misfit::Flaw(bad.flaw),
        }
    }
}
