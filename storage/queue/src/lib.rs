#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod backoff;
mod error;
mod job;
mod limits;
mod queue;

pub use backoff::Backoff;
pub use error::QueueError;
pub use job::{DeadLetter, JobId, Lease, NewJob, Token};
pub use limits::Limits;
pub use queue::{Outcome, Queue, Statistics};
