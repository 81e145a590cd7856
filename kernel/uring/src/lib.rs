#![doc = include_str!("../README.md")]

mod batch;
mod slots;
mod uring;

pub use batch::{Batch, Way};
pub use uring::{MAX_ENTRIES, Uring};
