#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod file;

pub use file::{Access, FileDisk};
