#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod fleet;
mod names;
mod panel;
pub mod peers;
mod policy;
mod recorder;
mod sampler;
mod service;
mod words;

pub use names::{Addresses, BadAddresses, Names};
pub use panel::Panel;
pub use policy::{Policy, Scaler, WHOLE};
pub use recorder::{Recorder, RecorderMessage, Traffic};
pub use sampler::{Sampler, Targets};
pub use service::{Service, start};
pub use words::{BadWords, HELP, Machines, Words};
