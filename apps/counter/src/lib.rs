#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod asker;
mod message;
mod report;
mod server;
mod words;

pub use asker::{Load, ask, until_gone};
pub use message::{Message, NAME};
pub use report::Report;
pub use server::{LIMITS, Served};
pub use words::{BadPlace, CLIENTS, HELP, Role, SERVER, Words, clients, place};
