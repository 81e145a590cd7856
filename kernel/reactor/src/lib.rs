#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod reactor;
mod source;

pub use reactor::{HasReactor, Reactor};
pub use source::{Direction, Source};
