#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod content_type;
mod files;

pub use content_type::content_type;
pub use files::{Files, LIMITS};
