#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod semantics;
pub mod wire;

pub use semantics::{Body, EntityTag, Response, UnixTime};
pub use wire::{Method, Methods, Request, Status};
