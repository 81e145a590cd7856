#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod header;
mod tap;

pub use tap::{Tap, TapFrame, TapSlot};
