#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod clock;
mod limit;
mod reactor;
mod source;
mod stream;

pub use clock::LinuxClock;
pub use limit::allow_descriptors;
pub use reactor::{HasReactor, Reactor};
pub use source::{Direction, Source};
