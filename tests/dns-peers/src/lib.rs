#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod compare;
mod daemon;
mod data;
mod name;
mod ours;
mod packages;
mod primary;
mod queries;
mod random;
mod records;
mod reply;
mod rules;
mod scenery;
mod signing;
mod transfer;
mod world;

pub use client::Client;
pub use compare::{Comparison, Difference};
pub use daemon::{Daemon, Peer};
pub use ours::Ours;
pub use packages::{VARIABLE, packages};
pub use primary::Primary;
pub use queries::{Case, Transport, cases, malformed};
pub use reply::{Reply, Rrset};
pub use rules::Pair;
pub use signing::Signing;
pub use transfer::Transferred;
pub use world::{World, Zone};
