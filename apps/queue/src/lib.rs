#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod base64;
mod dead;
mod jobs;
mod leases;
mod parameters;
mod report;
mod service;
mod settings;
mod store;
mod words;

pub use service::Service;
pub use settings::Settings;
pub use store::{Source, Store, why_not};
pub use words::{HELP, Words};
