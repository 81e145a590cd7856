#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod client;
mod error;
mod handle;
mod outbox;
mod rate;
mod ring;
mod rings;
mod server;
mod trace;

pub use error::IntroduceError;
pub use morgana_xenstore_store::{
    Command, Features, MemoryLeft, Orphans, Quota, Resource, Rights, Trace,
};
pub use morgana_xenstore_wire::Errno;
pub use rings::{Fault, PlatformRing, Ring, Rings, Served, attach};
pub use server::Server;
