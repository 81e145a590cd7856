//! The end of the run loop: finding events, and sleeping.

use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use morgana_hal::{Clock, Idle, Instant};

use crate::ports::Ports;
use crate::{HasReactor, LinuxClock, Reactor};

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
        self.ports.unmask_arrived();
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
        self.ports.unmask_arrived();
        let timeout = deadline.map(|deadline| deadline.since(LinuxClock.now()));
        self.reactor.wait(timeout);
    }
}

/// The end of the run loop for a program that has no event channels: only what its [`Reactor`] watches. Any Linux will do.
#[derive(Debug)]
pub struct ReactorIdle {
    reactor: Reactor,
    /// What the reactor's wake descriptor is: nothing ever comes out of it.
    _wake: (UnixStream, UnixStream),
}

impl ReactorIdle {
    /// With a reactor of its own.
    ///
    /// # Errors
    ///
    /// Linux's, if there is no descriptor left.
    pub fn new() -> io::Result<Self> {
        let wake = UnixStream::pair()?;
        let reactor = Reactor::new(&wake.0)?;
        Ok(Self {
            reactor,
            _wake: wake,
        })
    }
}

impl HasReactor for ReactorIdle {
    fn reactor(&self) -> &Reactor {
        &self.reactor
    }
}

impl Idle for ReactorIdle {
    fn dispatch(&mut self) -> usize {
        self.reactor.collect();
        0
    }

    fn wait(&mut self, deadline: Option<Instant>) {
        let timeout = deadline.map(|deadline| deadline.since(LinuxClock.now()));
        self.reactor.wait(timeout);
    }
}
