#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod link;
mod receive;
mod stats;
mod transmit;
mod violation;

pub use config::Config;
pub use link::{Link, LinkError, RxFrame, TxSlot};
pub use morgana_netif::{Chains, Features, MacAddress, Offload, RingKeys, RxChecksum, TxChecksum};
pub use stats::Stats;
pub use violation::Violation;
