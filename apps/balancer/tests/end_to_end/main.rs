//! A whole balancer with back ends and clients in one process, over streams in memory, on a clock that jumps: the same each time.

mod answers;
mod control;
mod faults;
mod requests;
mod stream;
mod world;
