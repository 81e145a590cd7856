#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acceptor;
mod certificates;
mod connector;
mod engine;
mod error;
mod identity;
mod limits;
mod side;
mod stats;
mod stream;
mod tickets;
mod turns;
mod wall;

pub use acceptor::Acceptor;
pub use certificates::{Certificates, NameError};
pub use connector::{Connector, Roots, RootsError};
pub use engine::{Engine, Want};
pub use error::{AcceptError, NoEntropy, TlsError};
pub use identity::{Identity, IdentityError};
pub use limits::Limits;
pub use side::Side;
pub use stats::Stats;
pub use stream::{ClientStream, ServerStream, TlsStream};
