//! The whole service in one process, over streams in memory and on a clock that jumps, the same each time: the controller, a real balancer, web machines that a toolstack
//! makes, and clients.

mod scenes;
// The balancer's own tests have the same streams.
#[path = "../../../balancer/tests/end_to_end/stream.rs"]
mod stream;
mod toolstack;
mod world;
