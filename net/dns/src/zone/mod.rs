//! Zones: records in canonical order, and the index over them.

mod find;
mod index;
mod proof;
mod record;
mod set;
mod sort;
mod whole;

pub(crate) use find::{Exact, Hashed, Walk};
pub(crate) use index::{Indexer, Kind, Node};
pub(crate) use proof::Proof;
pub(crate) use record::{Octets, Record};
pub(crate) use set::Set;
pub(crate) use sort::Sorter;
pub use whole::Zone;
