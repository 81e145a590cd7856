#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod asset;
mod assets;

pub use asset::Asset;
pub use assets::{Assets, Found};
