#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod body;
mod connection;
mod error;
mod node;
mod own;
mod permissions;
mod quotas;
mod reader;
mod record;
mod watch;
mod writer;

pub use connection::{Connection, Descriptor, Place};
pub use error::{BadState, Flaw, TooLong};
pub use node::{Node, Scope};
pub use own::{OwnConnection, OwnDomain, OwnGlobal, OwnTransaction};
pub use permissions::{PermissionBytes, Permissions, StatedPermission, Validity};
pub use quotas::{DomainData, QuotaBytes, Quotas};
pub use reader::Reader;
pub use record::{Global, Record, Transaction};
pub use watch::Watch;
pub use writer::Writer;

#[cfg(test)]
mod tests;
