#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod blkback;
mod config;
mod foreign;
mod handshake;
mod job;
mod keeper;
mod kept;
mod link;
mod parse;
mod stats;
mod violation;

pub use blkback::Blkback;
pub use config::Config;
pub use handshake::{ConnectError, Unsuitable};
pub use keeper::Parted;
pub use link::{Grants, Link, QueueKeys};
pub use morgana_block::{BlockDevice, BlockError, Discard, Geometry, Writes};
pub use morgana_xenbus::{BackendAddress, LinkError};
pub use stats::Stats;
pub use violation::Violation;
