#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod access;
mod headers;
mod metrics;
mod pages;
mod site;

pub use access::{Logging, NotOnOrOff, write_access_log};
pub use pages::PAGES;
pub use site::{MoreFigures, Options, Site};

/// The tutorial's program is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/tutorial.md")]
struct Tutorial;
