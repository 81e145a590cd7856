#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod call;
mod client;
mod config;
mod connection;
mod driver;
mod error;
mod key_error;
#[cfg(test)]
mod tests;
mod transaction;
mod tree;
mod watch;

pub use client::Client;
pub use config::{
    Config, MAX_CHILDREN_BYTES, MAX_IN_FLIGHT, MAX_QUEUED_EVENTS, MAX_TRANSACTIONS, MAX_WATCHES,
};
pub use error::{Breach, Closed, Error};
pub use key_error::{KeyError, Problem};
pub use morgana_xenstore_wire::{Access, Errno, Path, PathError, Permission};
pub use transaction::Transaction;
pub use tree::{Tree, number, number_or, text};
pub use watch::{Changed, Watch};
