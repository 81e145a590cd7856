#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod archive;
mod bytes;
mod error;
mod extension;
mod header;
mod index;
mod limits;
mod path;

pub use archive::Archive;
pub use error::{Fault, OpenError, ReadError};
pub use index::{Entry, Kind};
pub use limits::Limits;
