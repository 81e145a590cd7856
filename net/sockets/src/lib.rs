#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bell;
mod error;
mod host;
mod http;
mod listener;
mod stream;

pub use bell::Bell;
pub use error::SocketError;
pub use host::{Host, run};
pub use http::serve;
pub use listener::Listener;
pub use morgana_reactor::LinuxClock;
pub use stream::Stream;
