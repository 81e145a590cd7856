#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod attend;
mod close;
mod connect_error;
mod device;
mod directory;
mod error;
mod event;
mod flags;
mod handshake;
mod keeper;
mod parted;
mod state;
#[cfg(test)]
mod tests;
mod woken;

pub use attend::{Directories, Wish, attend};
pub use close::{CLOSE_TIMEOUT, Farewell};
pub use connect_error::{ConnectError, LinkError};
pub use device::{Device, Role};
pub use directory::{BackendAddress, backends, frontends};
pub use error::XenbusError;
pub use event::Event;
pub use flags::Flags;
pub use keeper::{Kept, keep};
pub use parted::Parted;
pub use state::State;
