//! The toolstack's daemon (`morgana daemon --listen`).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_http::{Connect, Method, Origin};
use serde::{Deserialize, Serialize};

use super::{ANSWER, PeerError, understood};
use crate::fleet::{Life, Machine};
use crate::names::Names;

const PEER: &str = "toolstack";
/// How long making or ending a domain may take: its devices have 10 s each way.
const TIME: Duration = Duration::from_secs(25);

/// A host's toolstack.
#[derive(Debug)]
pub struct Toolstack<C: Connect> {
    origin: Origin<C>,
    authorization: String,
}

/// What a fleet's machines are made of.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The configuration's name at the toolstack.
    pub config: String,
    /// More words on a machine's command line.
    pub words: String,
}

#[derive(Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Request<'a> {
    List,
    Create {
        config: &'a str,
        name: &'a str,
        extra: &'a str,
    },
    Destroy {
        domain: &'a str,
    },
}

#[derive(Deserialize)]
struct Done<T> {
    ok: T,
}

#[derive(Deserialize)]
struct Domain {
    name: String,
    state: String,
}

#[derive(Deserialize)]
struct Nothing {}

impl<C: Connect> Toolstack<C> {
    /// The toolstack at `address`, which wants this token.
    pub fn new(connect: C, address: SocketAddr, token: &str, timers: Timers) -> Self {
        Self {
            origin: Origin::new(connect, address, timers, TIME),
            authorization: format!("Bearer {token}"),
        }
    }

    /// The machines of a fleet.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn machines(&self, names: &Names) -> Result<Vec<Machine>, PeerError> {
        let answer = self.ask(&Request::List).await?;
        let Done { ok } = understood::<Done<Vec<Domain>>>(PEER, &answer)?;
        let machine = |domain: Domain| {
            let life = match domain.state.as_str() {
                "paused" | "running" | "blocked" | "runnable" => Life::Alive,
                "dying" => Life::Dying,
                _ => Life::Over,
            };
            let number = names.number(&domain.name)?;
            Some(Machine { number, life })
        };
        Ok(ok.into_iter().filter_map(machine).collect())
    }

    /// Makes a machine.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn create(&self, guest: &Guest, name: &str, words: &str) -> Result<(), PeerError> {
        let extra = format!("{words} {}", guest.words);
        let request = Request::Create {
            config: &guest.config,
            name,
            extra: extra.trim(),
        };
        let answer = self.ask(&request).await?;
        understood::<Done<Nothing>>(PEER, &answer).map(drop)
    }

    /// Ends a machine, and what is left of it. One that is not there is no error.
    ///
    /// # Errors
    ///
    /// [`PeerError`].
    pub async fn destroy(&self, name: &str) -> Result<(), PeerError> {
        let answer = self.ask(&Request::Destroy { domain: name }).await?;
        match answer.status.code() {
            200 | 404 => Ok(()),
            _ => Err(PeerError::refused(PEER, &answer)),
        }
    }

    async fn ask(&self, request: &Request<'_>) -> Result<morgana_http::Answer, PeerError> {
        let content = serde_json::to_string(request).unwrap_or_else(|error| error.to_string());
        let fields = [
            ("Authorization", self.authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        let asking = self
            .origin
            .ask(Method::Post, "/ask", &fields, content.as_bytes(), ANSWER);
        asking.await.map_err(|error| PeerError::Away(PEER, error))
    }
}
