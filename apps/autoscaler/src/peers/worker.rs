//! A worker, which ends by itself when it is asked to (`apps/worker`).

use core::net::SocketAddr;

use morgana_exec::Timers;
use morgana_http::{Connect, Method, Origin};

use super::{ANSWER, PeerError, TIME};

const PEER: &str = "worker";

/// Asks a worker to finish its job, take no other one, and end.
///
/// # Errors
///
/// [`PeerError`].
pub async fn drain<C: Connect>(
    connect: C,
    address: SocketAddr,
    timers: Timers,
) -> Result<(), PeerError> {
    let worker = Origin::new(connect, address, timers, TIME);
    let asking = worker.ask(Method::Post, "/drain", &[], &[], ANSWER);
    let answer = asking.await.map_err(|error| PeerError::Away(PEER, error))?;
    match answer.status.class() {
        2 => Ok(()),
        _ => Err(PeerError::refused(PEER, &answer)),
    }
}
