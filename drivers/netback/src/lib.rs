#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod handshake;
mod inbound;
mod keeper;
mod link;
mod monitor;
mod netback;
mod outbound;
mod queue;
mod stats;
mod violation;

pub use config::{Config, Hotplug, RxNotify};
pub use handshake::{ConnectError, Unsuitable};
pub use keeper::Parted;
pub use link::{Link, RxFrame, TxSlot};
pub use monitor::Monitor;
pub use morgana_netif::{
    Chains, Features, GsoProtocol, MacAddr, Offload, RingKeys, RxChecksum, RxMeta, Segmentation,
    SegmentationOffload, TxChecksum, TxMeta,
};
pub use morgana_xenbus::{BackendAddress, LinkError};
pub use netback::Netback;
pub use stats::Stats;
pub use violation::Violation;
