#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod apply;
mod backend;
mod dead;
mod enqueue;
mod error;
mod follow;
mod jobs;
mod mirror;
mod queue;
mod record;
mod settings;
mod thread;

pub use error::OpenError;
pub use queue::NatsQueue;
pub use settings::Settings;
