//! With Debian's nats-server.

#![allow(async_fn_in_trait)]

mod left;
mod queue;
#[path = "../../../queue/tests/rules/mod.rs"]
mod rules;
mod sharing;
mod support;
