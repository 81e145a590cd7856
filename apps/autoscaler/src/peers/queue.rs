//! The queue's figures (`apps/queue`).

use core::net::SocketAddr;

use morgana_exec::Timers;
use morgana_http::{Connect, Origin};
use serde::Deserialize;

use super::{ANSWER, PeerError, TIME, understood};

const PEER: &str = "queue";

/// A queue of jobs.
#[derive(Debug)]
pub struct Queue<C: Connect>(Origin<C>);

/// How many jobs are in which state.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct QueueFigures {
    /// Can be leased.
    pub ready: u64,
    /// Are with workers.
    pub leased: u64,
    /// Wait for their time, or for the next attempt.
    pub delayed: u64,
    /// Are dead letters.
    pub dead: u64,
}

impl<C: Connect> Queue<C> {
    /// The queue at `address`.
    pub fn new(connect: C, address: SocketAddr, timers: Timers) -> Self {
        Self(Origin::new(connect, address, timers, TIME))
    }

    /// Its figures.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn figures(&self) -> Result<QueueFigures, PeerError> {
        let answer = self.0.get("/stats", ANSWER).await;
        let answer = answer.map_err(|error| PeerError::Away(PEER, error))?;
        understood(PEER, &answer)
    }
}
