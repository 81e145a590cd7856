//! Connections to back ends that wait for another request.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use morgana_balance::BackendId;
use morgana_hal::Instant;
use morgana_http::{Client, Read, Write};

/// Idle connections, those of each back end with the last used one at the end.
#[derive(Debug)]
pub(crate) struct Pools<S> {
    idle: RefCell<Vec<Idle<S>>>,
    most: usize,
    time: Duration,
}

#[derive(Debug)]
struct Idle<S> {
    backend: BackendId,
    since: Instant,
    client: Client<S>,
}

impl<S: Read + Write> Pools<S> {
    /// Up to `most` connections to a back end, each for so long.
    pub(crate) const fn new(most: usize, time: Duration) -> Self {
        Self {
            idle: RefCell::new(Vec::new()),
            most,
            time,
        }
    }

    /// A connection to this back end, if one waits that the back end has not closed.
    pub(crate) async fn take(&self, backend: BackendId, now: Instant) -> Option<Client<S>> {
        loop {
            let mut client = self.pop(backend, now)?;
            if client.is_still_idle().await {
                return Some(client);
            }
        }
    }

    fn pop(&self, backend: BackendId, now: Instant) -> Option<Client<S>> {
        let mut idle = self.idle.borrow_mut();
        loop {
            let index = idle.iter().rposition(|one| one.backend == backend)?;
            let one = idle.remove(index);
            if now.since(one.since) < self.time {
                return Some(one.client);
            }
        }
    }

    /// Keeps a connection for later, if it can carry another request and there is room.
    pub(crate) fn put(&self, backend: BackendId, client: Client<S>, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        let count = idle.iter().filter(|one| one.backend == backend).count();
        if client.is_idle() && count < self.most && idle.try_reserve(1).is_ok() {
            idle.push(Idle {
                backend,
                since: now,
                client,
            });
        }
    }

    /// Closes those that are too old, or whose back end `keeps` does not want.
    pub(crate) fn tidy(&self, now: Instant, keeps: impl Fn(BackendId) -> bool) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|one| keeps(one.backend) && now.since(one.since) < self.time);
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.idle.borrow().len()
    }
}
