#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod accessed;
mod caller;
mod changes;
mod connection;
mod control;
mod departure;
mod handling;
mod map;
mod node;
mod operations;
mod outgoing;
mod quota;
mod settings;
mod store;
mod transaction;
mod tree;
mod watches;

pub use caller::Rights;
pub use connection::ConnectionId;
pub use outgoing::{Outgoing, PacketKind};
pub use quota::Quota;
pub use settings::Features;
pub use store::{Effect, PendingIntroduce, Store};

#[cfg(test)]
mod tests;
