#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod asset;
mod assets;
mod content;

pub use asset::{Asset, text};
pub use assets::{Assets, Found};
pub use content::{Content, Encoded, Packed, UnpackError};
