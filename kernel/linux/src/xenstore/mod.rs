//! The way to xenstored.

mod framing;
mod stream;

pub use stream::LinuxXenstore;
