#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod device;
mod error;
mod fault;
mod geometry;
mod ram;
mod read_only;
mod slice;
mod trace;

pub use device::{BlockDevice, Discard};
pub use error::BlockError;
pub use fault::{Faults, Faulty};
pub use geometry::{Geometry, GeometryError, Writes};
pub use ram::{CHUNK_BYTES, RamDisk};
pub use read_only::ReadOnly;
pub use slice::{Slice, SliceError};
pub use trace::{Counts, Traced};
