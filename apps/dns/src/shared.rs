//! What the tasks of the program share.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell, RefMut};

use morgana_dns::{Config, Server, Zone, Zones};
use morgana_exec::{TimeOfDay, Timers};
use morgana_hal::{Platform, WallTime};

/// The server, and the clock that it is asked with. Cheap to clone; all clones are the same.
#[derive(Debug)]
pub struct Shared<P>(Rc<Inner<P>>);

#[derive(Debug)]
struct Inner<P> {
    platform: P,
    time: TimeOfDay,
    server: RefCell<Server>,
    refused: Cell<u64>,
    reloads: Cell<u64>,
}

impl<P> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<P: Platform> Shared<P> {
    /// A server without zones yet.
    pub fn new(platform: P, timers: Timers, config: Config) -> Self {
        Self(Rc::new(Inner {
            time: TimeOfDay::new(platform.clone(), timers),
            platform,
            server: RefCell::new(Server::new(Zones::new(), config)),
            refused: Cell::new(0),
            reloads: Cell::new(0),
        }))
    }

    /// The server. What is borrowed is not kept over an `await`.
    pub fn server(&self) -> RefMut<'_, Server> {
        self.0.server.borrow_mut()
    }

    /// The platform.
    pub fn platform(&self) -> &P {
        &self.0.platform
    }

    /// The time of day, to a pass of the run loop.
    pub fn now(&self) -> WallTime {
        self.0.time.now()
    }

    /// Serves other zones from now on; returns those that are new or have another serial number.
    pub fn replace(&self, zones: Zones) -> Vec<Rc<Zone>> {
        let mut server = self.server();
        let before = server.zones();
        let is_new = |zone: &&Rc<Zone>| {
            let old = before.get(zone.origin());
            old.is_none_or(|old| old.serial() != zone.serial())
        };
        let changed = zones.iter().filter(is_new).cloned().collect();
        server.replace(zones);
        self.0.reloads.set(self.0.reloads.get() + 1);
        changed
    }

    /// Counts a connection over the limit.
    pub fn refused(&self) {
        self.0.refused.set(self.0.refused.get() + 1);
    }

    /// How many connections were over the limit.
    pub fn refusals(&self) -> u64 {
        self.0.refused.get()
    }

    /// How often zones were replaced.
    pub fn reloads(&self) -> u64 {
        self.0.reloads.get()
    }
}
