//! Health checks, and what is due at a time.

use alloc::string::ToString;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_balance::{BackendId, Probe};
use morgana_http::{Ask, Client};

use crate::{Network, Shared};

/// How often idle connections are looked through, at the least.
const TIDY: Duration = Duration::from_secs(5);

/// Checks back ends, and lets those go that have drained: a task that never ends.
pub async fn check_back_ends<N: Network>(shared: Shared<N>) {
    loop {
        let seen = shared.changed().count();
        let now = shared.now();
        loop {
            let Some((id, address)) = shared.policy().next_check(now) else {
                break;
            };
            let checking = check(shared.clone(), id, address);
            if shared.tasks().spawn(checking).is_err() {
                // Nothing of it is known, which is no reason to use it.
                shared.policy().checked(id, Probe::Failed, now);
            }
        }
        shared.policy().settle(now);
        shared.look_around();
        shared.pools().tidy(now, |_| true);
        let deadline = shared.policy().deadline();
        let wake = deadline.map_or(now + TIDY, |deadline| deadline.min(now + TIDY));
        let changed = shared.changed().after(seen);
        // Whether the time has come or something has changed: it is looked at.
        let _ = shared
            .timers()
            .timeout(wake.since(shared.now()), changed)
            .await;
    }
}

/// Checks one back end, over a connection of its own: that it accepts some is part of being well.
async fn check<N: Network>(shared: Shared<N>, id: BackendId, address: SocketAddr) {
    let timeout = shared.settings().policy.checks.timeout;
    let asking = ask(&shared, address);
    let probe = match shared.timers().timeout(timeout, asking).await {
        Ok(Some(200..=399)) => Probe::Passed,
        _ => Probe::Failed,
    };
    let now = shared.now();
    shared.policy().checked(id, probe, now);
    shared.look_around();
    shared.changed().notify();
}

/// The status of the page that tells whether a back end is well.
async fn ask<N: Network>(shared: &Shared<N>, address: SocketAddr) -> Option<u16> {
    let stream = shared.network().connect(address).await.ok()?;
    let settings = shared.settings();
    let mut client = Client::new(stream, shared.timers().clone(), settings.client);
    let host = address.to_string();
    let mut ask = Ask::get(&host, &settings.check_path);
    ask.fields = &[("Connection", "close")];
    let reply = client.send(&ask, &[]).await.ok()?;
    Some(reply.head().code())
}
