#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod arguments;
mod capture;
mod disk;
mod domain_0;
mod error;
mod machine;
mod process;
mod readiness;
mod signals;
mod start;
mod toolstack;

pub use arguments::{Arguments, UsageError};
pub use disk::{Disk, DiskError};
pub use error::MachineError;
pub use machine::{Options, run};
pub use morgana_usernet::{Forward, Protocol};
pub use process::{Wish, run_on_xen};
pub use start::start;
