#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod domain;
mod error;
mod outbox;
mod rings;
mod server;

pub use error::IntroduceError;
pub use morgana_xenstore_store::{Features, Quota, Rights};
pub use rings::{Fault, Ring, Rings, Served};
pub use server::Server;
