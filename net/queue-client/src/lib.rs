#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;

mod base64;
mod exchange;
mod pool;
mod queue;
mod reading;
mod settings;
mod target;

pub use queue::RemoteQueue;
pub use settings::Settings;
