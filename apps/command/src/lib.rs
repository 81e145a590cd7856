#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod complaint;
mod start;

pub use complaint::{complaint, is_dangerous};
pub use start::{Failure, start, start_with};
