#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod checks;
mod clock;
mod events;
mod failure;
mod memory;
mod party;
mod scene;
mod suite;
mod usage;
mod xenstore;

pub use checks::Check;
pub use failure::{Failure, Outcome};
pub use party::{Meeting, Party, Role, UnknownRole};
pub use scene::Scene;
pub use suite::{check, run};
