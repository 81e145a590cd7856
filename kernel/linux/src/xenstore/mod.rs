//! The way to xenstored.

mod connect;
mod framing;
mod pace;
mod refusal;
mod stream;

pub use connect::{ConnectError, Obstacle};
pub use stream::LinuxXenstore;
