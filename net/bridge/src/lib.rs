#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bridge;
mod deliver;
mod ports;
mod stats;
mod switch;
mod table;

pub use bridge::{AddError, Bridge, FRAMES_IN_A_PASS};
pub use stats::PortStats;
pub use switch::{Config, Decision, PortId, Refusal, Sources, Switch};
