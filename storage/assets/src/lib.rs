#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod asset;
mod assets;
mod content;
mod content_type;

pub use asset::{Asset, text};
pub use assets::{Assets, Found};
pub use content::{Content, Encoded, Packed, UnpackError};
pub use content_type::content_type;
