#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod editor;
#[cfg_attr(not(feature = "fields"), path = "no_fields.rs")]
mod fields;
mod input;
mod line;
mod logger;
mod output;
#[cfg(test)]
mod tests;

pub use editor::MAX_INPUT;
pub use input::{InputError, LineReader};
pub use line::MAX_LINE;
pub use logger::Logger;
pub use output::{DEFAULT_CAPACITY, LineEnd, Output};
