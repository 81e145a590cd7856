//! The end of a domain's run loop: finding events, and sleeping.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::thread;

use morgana_hal::{Clock, Idle, Instant};

use crate::domain::{Killed, Life};
use crate::events::LocalPorts;
use crate::{EmulClock, Reactor};

/// Finds a domain's events and those of the host's descriptors that its [`Reactor`] watches, and sleeps until there are some.
#[derive(Debug)]
pub struct EmulIdle {
    life: Rc<Life>,
    local: Rc<LocalPorts>,
    reactor: Reactor,
    clock: EmulClock,
}

impl EmulIdle {
    pub(crate) fn new(life: Rc<Life>, local: Rc<LocalPorts>, reactor: Reactor) -> Self {
        let clock = life.clock();
        Self {
            life,
            local,
            reactor,
            clock,
        }
    }

    /// What watches the host's descriptors for this domain.
    pub fn reactor(&self) -> Reactor {
        self.reactor.clone()
    }

    /// Whether an event is pending, or a late one is due.
    pub(crate) fn has_pending(&self, now: Instant) -> bool {
        let upcall = &self.life.upcall;
        upcall.has_pending() || upcall.next_late().is_some_and(|due| due <= now)
    }

    /// When the next late event is due.
    pub(crate) fn next_late(&self) -> Option<Instant> {
        self.life.upcall.next_late()
    }

    fn collect_late(&self) {
        let Some(due) = self.next_late() else {
            return;
        };
        let now = self.clock.now();
        if due <= now {
            self.life.deliver_late(now);
        }
    }

    /// Leaves a domain that was killed.
    fn check_alive(&self) {
        if !self.life.upcall.is_dead() {
            return;
        }
        if cfg!(panic = "abort") {
            self.life.abandon();
            // Nothing can be unwound, and nobody hears of the domain again; its thread must not go on.
            loop {
                thread::park();
            }
        }
        resume_unwind(Box::new(Killed));
    }
}

impl Idle for EmulIdle {
    fn dispatch(&mut self) -> usize {
        self.check_alive();
        // Events are found without the reactor; a system call for nothing else would be a waste.
        if self.reactor.sources() > 0 {
            self.reactor.collect();
        }
        if self.reactor.take_woken() {
            self.life.upcall.drain();
        }
        self.collect_late();
        self.local.dispatch(&self.life.upcall)
    }

    fn wait(&mut self, deadline: Option<Instant>) {
        self.life.upcall.sleep(|late| {
            let deadline = deadline.into_iter().chain(late).min();
            let timeout = deadline.map(|deadline| deadline.since(self.clock.now()));
            self.reactor.wait(timeout);
        });
    }
}
