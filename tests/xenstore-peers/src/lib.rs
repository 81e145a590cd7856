#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod compare;
mod daemon;
mod hearing;
mod history;
mod link;
mod live;
mod moment;
mod ours;
mod packages;
mod rules;
mod script;
mod serial;
mod subject;
mod targets;
mod transactions;
mod transcript;
mod words;
mod world;

pub use compare::{Comparison, Difference};
pub use daemon::{Daemon, Program};
pub use live::{at_socket, started};
pub use ours::{ours, without_domains};
pub use packages::Packages;
pub use rules::Peer;
pub use script::{CLIENTS, Cast, Episode};
pub use subject::Played;
pub use transcript::Answer;
