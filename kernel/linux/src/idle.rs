//! The end of the run loop: finding events, and sleeping.

use std::rc::Rc;

use morgana_hal::{Clock, Idle, Instant};

use crate::ports::Ports;
use crate::{LinuxClock, Reactor};

/// Finds the process's events and what its [`Reactor`] watches, and sleeps until there is something.
#[derive(Debug)]
pub struct LinuxIdle {
    ports: Rc<Ports>,
    reactor: Reactor,
}

impl LinuxIdle {
    pub(crate) fn new(ports: Rc<Ports>, reactor: Reactor) -> Self {
        Self { ports, reactor }
    }
}

impl Idle for LinuxIdle {
    fn dispatch(&mut self) -> usize {
        self.reactor.collect();
        // The reactor's wake descriptor is the event channel device.
        if self.reactor.take_woken() {
            self.ports.dispatch()
        } else {
            0
        }
    }

    /// Cannot sleep past an event: the device is readable from its arrival until it is taken.
    fn wait(&mut self, deadline: Option<Instant>) {
        let timeout = deadline.map(|deadline| deadline.since(LinuxClock.now()));
        self.reactor.wait(timeout);
    }
}
