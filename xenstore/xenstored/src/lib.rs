#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod domain;
mod error;
mod outbox;
mod server;

pub use error::IntroduceError;
pub use morgana_xenstore_store::{Quota, Rights};
pub use server::Server;
