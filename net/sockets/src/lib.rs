#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bell;
mod error;
mod host;
mod listener;
mod stream;

pub use bell::Bell;
pub use error::SocketError;
pub use host::{Host, run};
pub use listener::Listener;
pub use morgana_reactor::LinuxClock;
pub use stream::Stream;
