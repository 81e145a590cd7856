#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(any(target_os = "none", test))]
mod bitmap;
#[cfg(target_os = "none")]
mod machine;
#[cfg(any(target_os = "none", test))]
mod pvclock;
#[cfg(any(target_os = "none", test))]
mod slab;

#[cfg(target_os = "none")]
pub use machine::*;
