#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod complaint;
mod start;

pub use complaint::complaint;
pub use start::{Failure, start, start_with};
