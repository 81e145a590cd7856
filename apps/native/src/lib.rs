#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

mod arguments;
mod help;
mod lines;
mod run;

pub use arguments::Arguments;
pub use help::{Disks, Program};
pub use run::main;
