#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod back;
mod bytes;
mod error;
mod front;
mod half;
mod layout;
mod slots;
#[cfg(test)]
mod tests;

pub use back::BackRing;
pub use bytes::{ByteLayout, LaneLayout, LaneReader, LaneWriter, RingStream, Side};
pub use error::{Armed, Notify, RingError, RingFull};
pub use front::FrontRing;
pub use layout::{Entry, ring_entries};
pub use slots::{MAX_SLOTS, SlotError, Slots};
