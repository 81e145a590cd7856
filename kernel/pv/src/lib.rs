#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(target_os = "none")]
mod machine;

#[cfg(target_os = "none")]
pub use machine::*;
