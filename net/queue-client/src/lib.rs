#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;

mod base64;
mod connect;
mod exchange;
mod pool;
mod queue;
mod reading;
mod settings;
mod target;

pub use connect::{Connect, ConnectFailed};
pub use queue::RemoteQueue;
pub use settings::Settings;
