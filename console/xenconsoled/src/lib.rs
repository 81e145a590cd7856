#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod backlog;
mod daemon;
mod guest;
mod harmless;
mod host;
mod lines;
mod link;
mod options;
mod place;
mod rate;
mod record;
mod session;

pub use daemon::{Daemon, Guests};
pub use harmless::Harmless;
pub use host::{AttachError, Host, Log, Outlets, PlatformRing, Ring, attach};
pub use lines::Lines;
pub use link::{Helper, Link, LinkError, LinkLog, LinkTerminal};
pub use options::{Escapes, Options, Overflow, Stamps};
pub use rate::Rate;
