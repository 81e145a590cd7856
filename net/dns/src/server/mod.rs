//! The server: a message in, a message out.

mod answering;
mod config;
mod cookie;
mod limiter;
mod memo;
mod notify;
mod opt;
mod peer;
mod stats;
mod transfer;

pub use answering::{Outcome, Server};
pub use config::{Config, RateLimit};
pub use notify::{Notification, notification};
pub use peer::{Network, NetworkError, Peer, Transport};
pub use stats::Stats;
pub use transfer::Transfer;
