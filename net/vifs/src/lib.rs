#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod error;
mod service;
mod vifs;

pub use config::{Config, SourcePolicy};
pub use error::{Refused, ServeError};
pub use morgana_netback::{BackendAddress, Hotplug};
pub use morgana_xenbus::Directories;
pub use vifs::{Vif, VifStats, Vifs};
