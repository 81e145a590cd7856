//! One forwarded port: accepts from the host, connects to the guest.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;

use morgana_exec::{Handle, Notify, Task};
use morgana_net_stack::{ConnectOptions, Stack, TcpStream as GuestStream};

use crate::datagrams::Flows;
use crate::gateway::Stats;
use crate::readiness::{Direction, Readiness, Source};
use crate::splice::{Scratch, Splice};
use crate::{Config, listener};

/// How long an accept that failed waits before it is tried again: mostly the process has no descriptor left.
const RETRY: Duration = Duration::from_millis(100);

/// What all connections of a gateway share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) stack: Stack,
    pub(crate) config: Config,
    pub(crate) tasks: Handle,
    pub(crate) scratch: Scratch,
    pub(crate) stats: Cell<Stats>,
    /// The connections' tasks.
    pub(crate) connections: RefCell<BTreeMap<u64, Task<()>>>,
    /// How many of them wait for the guest to accept.
    pub(crate) opening: Cell<usize>,
    /// Steps when a connection is open, or ends.
    pub(crate) room: Notify,
    /// UDP's clients.
    pub(crate) flows: Flows,
    /// The longest packet on the guest's link, in bytes.
    pub(crate) ip_mtu: usize,
}

impl Shared {
    fn is_full(&self) -> bool {
        let config = &self.config;
        self.connections.borrow().len() >= config.connections
            || self.opening.get() >= config.opening
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }
}

/// Accepts for as long as it is polled.
pub(crate) async fn serve<R: Readiness>(
    listener: R::Source<TcpListener>,
    guest: SocketAddr,
    readiness: R,
    shared: Rc<Shared>,
) {
    loop {
        let seen = shared.room.count();
        if shared.is_full() {
            shared.count(|stats| stats.full += 1);
            shared.room.after(seen).await;
            continue;
        }
        let accepted = poll_fn(|cx| listener.poll_io(Direction::Read, cx, listener::accept)).await;
        match accepted.and_then(|socket| readiness.register(socket)) {
            Ok(host) => start::<R>(host, guest, &shared),
            Err(error) => {
                log::warn!("cannot accept a connection: {error}");
                shared.tasks.timers().sleep(RETRY).await;
            }
        }
    }
}

fn start<R: Readiness>(host: R::Source<TcpStream>, guest: SocketAddr, shared: &Rc<Shared>) {
    shared.count(|stats| stats.accepted += 1);
    let id = shared.stats.get().accepted;
    let connection = {
        let shared = shared.clone();
        // Counted from now on, not from when the task first runs.
        let opening = Opening::new(&shared);
        async move {
            forward(host, guest, &shared, opening).await;
            shared.connections.borrow_mut().remove(&id);
            shared.room.notify();
        }
    };
    match shared.tasks.spawn(connection) {
        Ok(task) => {
            shared.connections.borrow_mut().insert(id, task);
        }
        Err(error) => log::warn!("cannot forward a connection: {error}"),
    }
}

/// Counts a connection that waits for the guest to accept.
struct Opening(Rc<Shared>);

impl Opening {
    fn new(shared: &Rc<Shared>) -> Self {
        shared.opening.set(shared.opening.get() + 1);
        Self(shared.clone())
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.opening.set(self.0.opening.get() - 1);
        self.0.room.notify();
    }
}

/// One connection, from the host's client to the guest.
async fn forward<S: Source<TcpStream>>(
    host: S,
    guest: SocketAddr,
    shared: &Shared,
    opening: Opening,
) {
    let options = ConnectOptions {
        timeout: shared.config.connect_timeout,
        ..ConnectOptions::default()
    };
    let opened = GuestStream::connect(&shared.stack, guest, options).await;
    drop(opening);
    let guest = match opened {
        Ok(guest) => guest,
        Err(error) => {
            log::debug!("{guest}: {error}");
            shared.count(|stats| stats.refused += 1);
            listener::reset(host.io());
            return;
        }
    };
    let mut splice = Splice::new(host, guest, shared.scratch.clone());
    if let Err(side) = splice.run().await {
        log::debug!("connection broken by the {side:?} side");
        shared.count(|stats| stats.broken += 1);
        splice.abort();
    }
}
