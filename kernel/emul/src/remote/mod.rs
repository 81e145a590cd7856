//! A domain in another process than the hypervisor.
//!
//! The two hold the ends of a socket that keeps messages apart (`SOCK_SEQPACKET`). The domain's process sends a request for each hypercall
//! and waits for the reply; only a notification has none. Memory is passed as memfds, and an event is a bit in a page that both map, and
//! a step of an eventfd, so that what is fast on Xen does not go through the socket here.

mod codec;
mod line;
mod message;
mod server;
mod socket;

pub(crate) use line::Line;
pub use message::Breach;
pub use server::{Served, ServedEnd};
