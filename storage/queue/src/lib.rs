#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod backoff;
mod commit;
#[cfg(test)]
mod crashes;
mod error;
mod frame;
mod header;
mod job;
mod job_queue;
mod jobs;
mod limits;
mod log;
mod queue;
mod record;
#[cfg(test)]
mod rules;

pub use backoff::Backoff;
pub use error::{OpenError, QueueError};
pub use job::{DeadLetter, JobId, Lease, NewJob, Outcome, Statistics, Token, Totals};
pub use job_queue::JobQueue;
pub use limits::{Limits, MAX_KEY, MAX_PAYLOAD};
pub use queue::Queue;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/queue.md")]
struct Guide;
