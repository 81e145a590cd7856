#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod control;
mod driver;
mod guest;
mod holdings;
mod hostile;
mod random;
mod seeds;
mod world;

pub use control::Control;
pub use driver::{Driver, driver};
pub use guest::{Guest, guest};
pub use holdings::Holdings;
pub use hostile::hostile;
pub use random::Random;
pub use seeds::for_each_seed;
pub use world::{Inside, World};
