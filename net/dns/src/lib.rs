#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod key;
mod lookup;
mod name;
mod server;
mod text;
mod wire;
mod zone;
mod zones;

pub use name::{MAX_LABEL, MAX_NAME, Name, NameError};
pub use server::{
    Config, Network, NetworkError, Notification, Outcome, Peer, RateLimit, Server, Stats, Transfer,
    Transport, notification,
};
pub use text::{Reason, ZoneError, ZoneParser};
pub use zone::Zone;
pub use zones::Zones;
