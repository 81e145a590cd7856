#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cursor;
mod error;
mod frame;
mod header;
mod journal;
mod open;
mod span;
mod writer;

pub use cursor::{Cursor, Step};
pub use error::JournalError;
pub use frame::MAX_ENTRY;
pub use header::{MAX_SEGMENTS, SEGMENT_BYTES};
pub use journal::Journal;
pub use open::open;
pub use span::Span;
pub use writer::Writer;
