#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod build;
mod contents;
mod elf;
mod features;
mod image;
mod layout;
mod notes;
mod read;
mod tables;

pub use build::{BuildError, Built, Domain, Shell, Step, Wanted, set_command_line};
pub use contents::{COMMAND_LINE_BYTES, Contents, Sink};
pub use image::{Image, ImageError, Problem};
pub use layout::{Layout, LayoutError};
