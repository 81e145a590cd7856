#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod folder;
mod packages;
mod process;

pub use address::free_address;
pub use folder::Folder;
pub use packages::Packages;
pub use process::Process;
