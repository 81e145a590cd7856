#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod desk;
mod handler;
mod poster;
mod report;
mod work;

pub use desk::Desk;
pub use handler::Counter;
pub use poster::{Lost, paint};
pub use report::{Done, Report, Unheard};
pub use work::{Jobs, work};
