#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod error;
mod host;
mod nodes;
mod outlets;
mod uuid;

pub use config::{Action, Config, ConfigError, Disk, DiskAccess, Mistake, Vif};
pub use error::HostError;
pub use host::{Ended, Host, Listed, Names};
pub use outlets::{BlockDevice, DiskId, Opened, OutletError, Outlets, Plugged, VifId};
pub use uuid::Uuid;
