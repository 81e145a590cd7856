#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod hash;
mod pack;
mod set;
mod table;

pub use error::Error;
pub use hash::entity_tag;
pub use set::Set;
