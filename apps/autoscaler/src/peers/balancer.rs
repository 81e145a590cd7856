//! The load balancer's control interface (`apps/balancer`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_http::{Connect, Method, Origin};
use serde::Deserialize;

use super::hasty::Hasty;
use super::{ANSWER, PeerError, TIME, understood};
use crate::fleet::{Health, Member};
use crate::names::Names;

const PEER: &str = "balancer";

/// A load balancer.
#[derive(Debug)]
pub struct Balancer<C: Connect>(Origin<Hasty<C>>);

/// Its figures: counters since its start, unless they say otherwise.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct BalancerFigures {
    /// Requests that came.
    pub requests: u64,
    /// Requests that are with back ends, or wait for one, now.
    pub in_flight: u64,
    /// Those of them that wait.
    pub waiting: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Of these, by back ends with a status from 500 on.
    pub server_errors: u64,
    /// 502s of its own.
    pub bad_gateway: u64,
    /// 504s of its own.
    pub timeouts: u64,
    /// 503s of its own.
    pub refused: u64,
    /// The last seconds.
    pub recent: Recent,
}

/// The last five to ten seconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Recent {
    /// How long answers took.
    pub latency: Latency,
}

/// Of how long answers took, in microseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Latency {
    /// The median.
    pub p50_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
}

impl BalancerFigures {
    /// Requests that came to nothing.
    pub const fn failed(&self) -> u64 {
        self.server_errors
            .saturating_add(self.bad_gateway)
            .saturating_add(self.timeouts)
            .saturating_add(self.refused)
    }
}

#[derive(Deserialize)]
struct BackEnd {
    name: String,
    state: String,
    state_ms: u64,
}

impl<C: Connect> Balancer<C> {
    /// The balancer whose control interface is at `address`.
    pub fn new(connect: C, address: SocketAddr, timers: Timers) -> Self {
        let connect = Hasty::new(connect, timers.clone());
        Self(Origin::new(connect, address, timers, TIME))
    }

    /// Its figures.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn figures(&self) -> Result<BalancerFigures, PeerError> {
        let answer = self.0.get("/stats", ANSWER).await;
        let answer = answer.map_err(|error| PeerError::Away(PEER, error))?;
        understood(PEER, &answer)
    }

    /// Which of a fleet's machines are back ends.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn members(&self, names: &Names) -> Result<Vec<Member>, PeerError> {
        let answer = self.0.get("/backends", ANSWER).await;
        let answer = answer.map_err(|error| PeerError::Away(PEER, error))?;
        let back_ends: Vec<BackEnd> = understood(PEER, &answer)?;
        let member = |one: BackEnd| {
            let health = match one.state.as_str() {
                "healthy" => Health::Healthy,
                "draining" => Health::Draining,
                _ => Health::Unhealthy,
            };
            Some(Member {
                number: names.number(&one.name)?,
                health,
                since: Duration::from_millis(one.state_ms),
            })
        };
        Ok(back_ends.into_iter().filter_map(member).collect())
    }

    /// Adds a back end; one that is there already stays.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn add(&self, name: &str, address: SocketAddr) -> Result<(), PeerError> {
        let content = format!("{{\"address\":\"{address}\"}}");
        let target = format!("/backends/{name}");
        self.tell(Method::Put, &target, content.as_bytes()).await
    }

    /// Gives a back end no new requests; it goes when it has none left.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn drain(&self, name: &str) -> Result<(), PeerError> {
        let target = format!("/backends/{name}/drain");
        self.tell(Method::Post, &target, &[]).await
    }

    /// Gives a back end no requests any more.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn remove(&self, name: &str) -> Result<(), PeerError> {
        let target = format!("/backends/{name}");
        self.tell(Method::Delete, &target, &[]).await
    }

    async fn tell(&self, method: Method, target: &str, content: &[u8]) -> Result<(), PeerError> {
        let telling = self.0.ask(method, target, &[], content, ANSWER);
        let answer = telling
            .await
            .map_err(|error| PeerError::Away(PEER, error))?;
        match answer.status.code() {
            200..=299 => Ok(()),
            // What is not there is neither drained nor removed: that is how it should be.
            404 if method != Method::Put => Ok(()),
            _ => Err(PeerError::refused(PEER, &answer)),
        }
    }
}
