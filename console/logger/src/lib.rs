#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod answer;
mod domains;
mod finder;
mod keeper;
mod options;
mod pace;
mod server;
mod slot;
mod source;

pub use options::{Options, Peers, Rate};
pub use server::Logger;
