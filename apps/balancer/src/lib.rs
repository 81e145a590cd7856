#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attempt;
mod checker;
mod control;
mod fields;
mod guards;
mod json;
mod kept;
mod metrics;
mod network;
mod pools;
mod proxy;
mod report;
mod settings;
mod shared;
mod target;
mod words;

pub use checker::check_back_ends;
pub use control::Control;
pub use json::{JsonError, parse_object};
pub use network::Network;
pub use proxy::Proxy;
pub use settings::Settings;
pub use shared::Shared;
pub use words::{HELP, Words};
