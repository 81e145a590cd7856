#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod accessed;
mod accounts;
mod caller;
mod changes;
mod connection;
mod control;
mod departure;
mod domains;
mod effect;
mod entry;
mod events;
mod handling;
mod host;
mod journal;
mod ledger;
mod listing;
mod lists;
mod map;
mod node;
mod operations;
mod outgoing;
mod permitting;
mod quota;
mod requests;
mod settings;
mod state;
mod store;
mod text;
mod toolstack;
mod transacting;
mod transaction;
mod tree;
mod watches;
mod watching;
mod world;

pub use caller::Rights;
pub use connection::ConnectionId;
pub use departure::Orphans;
pub use effect::{Command, Effect, PendingCommand, PendingIntroduce};
pub use host::{Host, MemoryLeft};
pub use journal::{RecoverError, Recovered};
pub use ledger::Notice;
pub use outgoing::{Content, Event, Outgoing};
pub use quota::{Quota, Resource};
pub use requests::Contention;
pub use settings::{Features, Trace};
pub use state::{HandOver, Link, LoadError, Loaded, Misfit, Reach, Service};
pub use store::Store;

#[cfg(test)]
mod tests;
