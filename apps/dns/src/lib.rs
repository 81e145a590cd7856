#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(not(target_os = "none"))]
extern crate std;

mod figures;
#[cfg(not(target_os = "none"))]
mod folder;
mod loader;
mod notifier;
mod shared;
mod source;
mod stream;
mod udp;
mod words;

pub use figures::Figures;
pub use loader::{Loaded, ZoneFile};
pub use notifier::Notifier;
pub use shared::Shared;
pub use source::{Source, SourceError};
pub use stream::{StreamEnd, StreamLimits, serve_stream};
pub use udp::serve_udp;
pub use words::{HELP, Words};
