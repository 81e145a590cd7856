#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod files;
mod find;
mod location;

pub use files::{Files, LIMITS};
