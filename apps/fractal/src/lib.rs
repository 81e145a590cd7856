#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bitmap;
mod order;
mod parameters;
mod plane;
mod posters;
mod site;

pub use bitmap::Bitmap;
pub use order::{BadOrder, MOST_ITERATIONS, MOST_SIDE, Order};
pub use plane::{BadTile, DEEPEST, Tile};
pub use posters::Posters;
pub use site::{Site, Size};
