#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod control;
mod disks;
mod driver;
mod echo;
mod frames;
mod guest;
mod holdings;
mod hostile;
mod ledger;
mod medium;
mod pace;
mod random;
mod seeds;
mod switched;
mod troubles;
mod world;

pub use control::{Control, Kind};
pub use disks::Disks;
pub use driver::{Driver, driver};
pub use frames::Frames;
pub use guest::{Guest, Worker, attach};
pub use holdings::Holdings;
pub use hostile::hostile;
pub use ledger::{Growth, Ledger};
pub use medium::Medium;
pub use random::Random;
pub use seeds::for_each_seed;
pub use switched::{Roster, Station, Switched, liar, plug, plug_any, switched, unplug, unplug_any};
pub use troubles::HARMLESS;
pub use world::{Inside, World};
