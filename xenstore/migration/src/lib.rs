#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod body;
mod connection;
mod error;
mod frame;
mod journal;
mod node;
mod own;
mod permissions;
mod quotas;
mod reader;
mod record;
mod under_way;
mod watch;
mod writer;

pub use connection::{Connection, Descriptor, Place};
pub use error::{BadState, Flaw, TooLong};
pub use frame::Frame;
pub use journal::{BadJournal, BootId, HEAD, Journal, Position, head, identify};
pub use node::{Node, Scope};
pub use own::{OwnConnection, OwnDomain, OwnEvent, OwnGlobal, OwnTransaction};
pub use permissions::{PermissionBytes, Permissions, StatedPermission, Validity};
pub use quotas::{DomainData, QuotaBytes, Quotas};
pub use reader::Reader;
pub use record::{Global, Record, Transaction};
pub use under_way::{EDITION, EDITION_ROOM, Edition, NoEdition, UnderWay};
pub use watch::Watch;
pub use writer::Writer;

#[cfg(test)]
mod tests;
