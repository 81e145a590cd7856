#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod inbound;
mod link;
mod outbound;
mod stats;
mod violation;

pub use config::{Config, RxNotify};
pub use link::{Link, LinkError, RxFrame, TxSlot};
pub use morgana_netif::{Chains, Features, MacAddress, Offload, RingKeys, RxChecksum, TxChecksum};
pub use stats::Stats;
pub use violation::Violation;
