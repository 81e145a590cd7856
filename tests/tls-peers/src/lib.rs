#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod certificates;
mod client;
mod program;
mod server;
mod socket;
mod web;

pub use certificates::{CA, ED25519, P256, RSA, identity};
pub use client::{Asked, ask, roots};
pub use program::{Printed, Programs, VARIABLE};
pub use server::{Ours, Running, Stream, page};
pub use socket::Socket;
pub use web::Web;
