#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod handshake;
mod keeper;
mod link;
mod netfront;
mod pool;
mod receive;
mod stats;
mod transmit;
mod violation;

pub use config::Config;
pub use handshake::{ConnectError, Unsuitable};
pub use keeper::Parted;
pub use link::{Link, RxFrame, TxSlot};
pub use morgana_netif::{
    Chains, Features, GsoProtocol, MacAddr, Offload, RingKeys, RxChecksum, RxMeta, Segmentation,
    SegmentationOffload, TxChecksum, TxMeta,
};
pub use morgana_xenbus::LinkError;
pub use netfront::{Monitor, Netfront};
pub use stats::Stats;
pub use violation::Violation;
