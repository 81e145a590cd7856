//! The way to xenstored.

mod framing;
mod pace;
mod refusal;
mod stream;

pub use stream::LinuxXenstore;
