#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod blkfront;
mod config;
mod directory;
mod handshake;
mod keeper;
mod link;
mod pool;
mod request;
mod shared;
mod stats;
mod table;
mod transfer;
mod violation;

pub use blkfront::{Blkfront, Monitor};
pub use config::{Config, Limits};
pub use directory::disks;
pub use handshake::{ConnectError, Features, Unsuitable};
pub use keeper::Parted;
pub use link::{Link, QueueKeys};
pub use morgana_blkif::Vdev;
pub use morgana_block::{BlockDevice, BlockError, Discard, Geometry, Writes};
pub use morgana_xenbus::LinkError;
pub use request::Request;
pub use stats::Stats;
pub use table::{Table, Ticket};
pub use violation::Violation;
