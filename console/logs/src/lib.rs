#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod forwarder;
mod place;
mod queue;
mod reader;

pub use forwarder::{Destination, Forwarder};
pub use morgana_record as record;
pub use place::{LOGGER, OFFERS, logger, publish};
pub use queue::DEFAULT_QUEUE;
pub use reader::{ReadError, Reader};
