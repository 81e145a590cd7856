#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod blkback;
mod config;
mod handshake;
mod job;
mod keeper;
mod link;
mod parse;
mod stats;
mod violation;

pub use blkback::Blkback;
pub use config::Config;
pub use handshake::ConnectError;
pub use keeper::Parted;
pub use link::{Link, LinkError, QueueKeys};
pub use morgana_block::{BlockDevice, BlockError, Discard, Geometry, Writes};
pub use morgana_xenbus::BackendAddress;
pub use stats::Stats;
pub use violation::Violation;
