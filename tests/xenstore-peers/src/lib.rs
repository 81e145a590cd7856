#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod compare;
mod daemon;
mod link;
mod live;
mod ours;
mod packages;
mod rules;
mod script;
mod subject;
mod transactions;
mod transcript;
mod words;
mod world;

pub use compare::{Comparison, Difference};
pub use daemon::{Daemon, Program};
pub use live::{at_socket, started};
pub use ours::ours;
pub use packages::Packages;
pub use rules::Peer;
pub use script::{CLIENTS, Cast, Episode};
pub use transcript::Answer;
