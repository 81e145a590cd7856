//! The other programs of the service: the toolstack, the load balancer, the queue, the workers. All are asked over HTTP, and all may lie or be away.

mod balancer;
mod error;
mod hasty;
mod queue;
mod toolstack;
mod worker;

pub use balancer::{Balancer, BalancerFigures};
pub use error::PeerError;
pub use queue::{Queue, QueueFigures};
pub use toolstack::{Guest, Toolstack};
pub use worker::drain;

use core::time::Duration;

use morgana_http::{Answer, Status};
use serde::Deserialize;

/// How long an answer may take, but that of a toolstack which makes or ends a domain.
pub(crate) const TIME: Duration = Duration::from_secs(1);
/// Bytes of an answer at the most: the list of a thousand domains.
const ANSWER: usize = 512 << 10;

/// Understands an answer of status 200.
fn understood<'a, T: Deserialize<'a>>(
    peer: &'static str,
    answer: &'a Answer,
) -> Result<T, PeerError> {
    if answer.status != Status::OK {
        return Err(PeerError::refused(peer, answer));
    }
    serde_json::from_slice(&answer.content).map_err(|_| PeerError::Senseless(peer))
}
