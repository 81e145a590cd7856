//! The way to xenstored.

mod framing;
mod pace;
mod stream;

pub use stream::LinuxXenstore;
