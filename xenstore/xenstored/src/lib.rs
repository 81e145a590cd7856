#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod client;
mod error;
mod handle;
mod inbox;
mod journal;
mod line;
mod outbox;
mod rate;
mod ring;
mod rings;
mod server;
mod slot;
mod takeover;
mod trace;
mod update;

pub use error::IntroduceError;
pub use morgana_xenstore_migration::{
    BadJournal, BootId, Descriptor, HEAD, Journal, Position, TooLong, head, identify,
};
pub use morgana_xenstore_store::{
    Command, Features, HandOver, LoadError, Loaded, MemoryLeft, Orphans, Quota, Reach,
    RecoverError, Recovered, Resource, Rights, Store, Trace,
};
pub use morgana_xenstore_wire::Errno;
pub use rings::{Fault, Kept, PlatformRing, Ring, Rings, Served, attach, attach_by};
pub use server::Server;
pub use slot::{SLOT, Slot};
pub use takeover::Resumed;
pub use update::UpdateRequest;
