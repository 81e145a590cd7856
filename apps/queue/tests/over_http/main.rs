//! The service over loopback sockets: what every `JobQueue` does, through its client, and what the protocol says besides.

#![allow(async_fn_in_trait)]

mod asker;
mod conformance;
mod failing;
mod protocol;
#[path = "../../../../storage/queue/tests/rules/mod.rs"]
mod rules;
mod waiting;
mod world;
