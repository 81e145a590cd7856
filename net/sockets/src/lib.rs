#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bell;
mod clock;
mod error;
mod host;
mod listener;
mod stream;

pub use bell::Bell;
pub use clock::HostClock;
pub use error::SocketError;
pub use host::{Host, run};
pub use listener::Listener;
pub use stream::Stream;
