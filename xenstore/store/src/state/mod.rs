//! The whole state as a stream, which one xenstored hands over to the next.

mod error;
mod export;
mod flags;
mod link;
mod load;
mod nodes;
mod pending;

pub(crate) use export::{DEEPEST, limits, stated_step};
pub(crate) use load::set_limits;
pub(crate) use nodes::entries;
pub(crate) use pending::step;

pub use error::{LoadError, Misfit};
pub use link::{HandOver, Link, Loaded, Reach, Service};
