#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bytes;
mod entry;
mod error;
mod frame;
mod query;
mod record;
mod show;
#[cfg(test)]
mod tests;

pub use entry::{Entry, MAX_ENTRY, MAX_NAME, Name};
pub use error::FormatError;
pub use frame::{Frames, MAX_FRAME, Refusal, Role, ToDomain, ToLogger};
pub use query::{Follow, MAX_TEXT, Query, Whose};
pub use record::{MAX_FIELDS, MAX_KEY, MAX_MESSAGE, MAX_RECORD, MAX_TARGET, MAX_VALUE, Record};
pub use show::{Harmless, Line, is_dangerous};
