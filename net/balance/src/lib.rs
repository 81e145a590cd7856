#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod backend;
mod balancer;
mod config;
mod error;
mod health;
mod histogram;
mod recent;
mod retry;
mod stats;

pub use backend::{Backend, BackendId, State};
pub use balancer::{Balancer, Choice, Departure, Event, Lease};
pub use config::{Checks, Config, MAX_NAME};
pub use error::{AddError, NoSuchBackend};
pub use health::Probe;
pub use histogram::Histogram;
pub use recent::Recent;
pub use retry::{Attempt, Contents, Progress, Repeatability, may_retry};
pub use stats::{BackendStats, Failure, Outcome, Totals};
