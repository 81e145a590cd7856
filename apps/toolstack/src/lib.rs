#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod error;
mod host;
mod nodes;
mod uuid;

pub use config::{Action, Config, ConfigError, Mistake};
pub use error::HostError;
pub use host::{Ended, Host, Listed};
pub use uuid::Uuid;
