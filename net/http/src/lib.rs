#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Everything runs on one single-thread executor: its futures need no `Send`.
#![allow(async_fn_in_trait)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod client;
pub mod router;
pub mod semantics;
pub mod server;
pub mod wire;

pub use client::{
    Answer, Ask, AskError, Client, ClientError, ClientLimits, Connect, ConnectFailed, Origin,
    Reply, Upload,
};
pub use embedded_io_async::{Read, Write};
pub use router::{Route, Router};
pub use semantics::{Body, Coding, EntityTag, Length, Portion, Response, UnixTime};
pub use server::{
    AccessLog, BodyError, End, Exchange, Handler, Limits, Outgoing, OutputError, RelayContent,
    RelayError, Relayed, Server, Stats, Unfinished, read_to_end,
};
pub use wire::{Method, Methods, Request, Status};
