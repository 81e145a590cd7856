#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod limit;
mod reactor;
mod source;
mod stream;

pub use limit::allow_descriptors;
pub use reactor::{HasReactor, Reactor};
pub use source::{Direction, Source};
