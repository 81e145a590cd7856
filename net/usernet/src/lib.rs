#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod datagrams;
mod dhcp;
mod forwarder;
mod gateway;
mod leasing;
mod listener;
mod readiness;
mod splice;

pub use config::{Config, Forward, ParseForwardError, Protocol};
pub use gateway::{Gateway, Stats};
pub use listener::Listener;
pub use readiness::{Direction, Readiness, Source};
