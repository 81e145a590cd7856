#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod command_line;
mod disk;
mod domain;
mod entry;
#[cfg_attr(not(feature = "logger"), path = "no_forward.rs")]
mod forward;
mod global;
#[cfg(not(target_os = "none"))]
mod linux;
mod logging;
mod network;
mod outcome;
#[cfg_attr(not(feature = "pcap"), path = "no_pcap.rs")]
mod pcap;
mod power;
mod run;
#[cfg(feature = "volume")]
mod volume;
#[cfg(target_os = "none")]
mod xen;

pub use command_line::{BadArgument, CommandLine};
pub use disk::DiskError;
pub use domain::{Domain, NoXenstore};
pub use log;
pub use morgana_blkfront as blkfront;
pub use morgana_block as block;
pub use morgana_exec as exec;
pub use morgana_hal as hal;
pub use morgana_hal::{Exit, Platform};
pub use morgana_net_stack as net;
pub use morgana_netfront as netfront;
#[cfg(feature = "volume")]
pub use morgana_tar as tar;
pub use morgana_xenstore_client as xenstore;
pub use network::{Network, NetworkError};
pub use outcome::Outcome;
pub use pcap::CaptureError;
pub use run::{run, run_until};
#[cfg(feature = "volume")]
pub use volume::{Files, Volume, VolumeError};

#[doc(hidden)]
pub mod private {
    //! For what [`main!`](crate::main) expands to.

    #[cfg(not(target_os = "none"))]
    pub use crate::linux::start;
    #[cfg(target_os = "none")]
    pub use crate::xen::start;
    #[cfg(target_os = "none")]
    pub use morgana_pv::{Pv, boot};
}
