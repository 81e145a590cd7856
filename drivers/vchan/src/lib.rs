#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod connect;
mod error;
mod keys;
mod layout;
mod listen;
mod memory;
mod patience;
mod vchan;

pub use connect::{attach, connect, connect_now, connect_within};
pub use error::VchanError;
pub use keys::{Keys, withdraw};
pub use layout::Sizes;
pub use listen::{listen, offer};
pub use vchan::{SendError, Vchan};
