#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;

mod connect;
mod exposition;
mod serve;

pub use connect::ByStack;
pub use exposition::{Exposition, Kind, Seconds};
pub use serve::serve;
