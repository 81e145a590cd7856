//! Connections that wait for the next request.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_hal::Instant;
use morgana_http::{Client, Read, Write};

#[derive(Debug)]
pub(crate) struct Pool<S>(RefCell<Vec<(Client<S>, Instant)>>);

impl<S: Read + Write> Pool<S> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// One that the service has not closed, as far as is known.
    pub(crate) async fn take(&self, timers: &Timers, idle_time: Duration) -> Option<Client<S>> {
        loop {
            let (mut client, since) = self.0.borrow_mut().pop()?;
            if timers.now().since(since) < idle_time && client.is_still_idle().await {
                return Some(client);
            }
        }
    }

    /// Keeps one, if it is of use and there are not so many already.
    pub(crate) fn put(&self, client: Client<S>, now: Instant, most: usize) {
        let mut idle = self.0.borrow_mut();
        if client.is_idle() && idle.len() < most {
            idle.push((client, now));
        }
    }
}
