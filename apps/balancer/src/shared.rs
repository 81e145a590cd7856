//! What proxy, checks and control share.

use alloc::rc::Rc;
use core::cell::{RefCell, RefMut};
use core::net::SocketAddr;

use morgana_balance::{Balancer, Event, State};
use morgana_exec::{Handle, Notify, Timers};
use morgana_hal::Instant;

use crate::pools::Pools;
use crate::{Network, Settings};

/// What proxy, checks and control share. Cheap to clone.
pub struct Shared<N: Network>(Rc<Inner<N>>);

struct Inner<N: Network> {
    network: N,
    tasks: Handle,
    timers: Timers,
    settings: Settings,
    started: Instant,
    policy: RefCell<Balancer<SocketAddr>>,
    pools: Pools<N::Stream>,
    /// The table has changed, or a place has become free that somebody waits for.
    changed: Notify,
}

impl<N: Network> Clone for Shared<N> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<N: Network> core::fmt::Debug for Shared<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl<N: Network> Shared<N> {
    /// A balancer without back ends.
    pub fn new(network: N, tasks: Handle, settings: Settings) -> Self {
        let timers = tasks.timers();
        let now = timers.now();
        Self(Rc::new(Inner {
            network,
            tasks,
            started: now,
            policy: RefCell::new(Balancer::new(settings.policy, now)),
            pools: Pools::new(settings.idle_connections, settings.idle_time),
            changed: Notify::default(),
            timers,
            settings,
        }))
    }

    /// The table of back ends and the counters. Whoever changes the table says so by [`look_around`](Self::look_around). It must not be held across an await.
    pub fn policy(&self) -> RefMut<'_, Balancer<SocketAddr>> {
        self.0.policy.borrow_mut()
    }

    /// What was chosen.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Tells of what has happened to back ends, in the log and to those that wait.
    pub fn look_around(&self) {
        let events = self.policy().take_events();
        for event in &events {
            match event {
                Event::State(name, State::Unhealthy) => log::warn!("{name}: unhealthy"),
                Event::State(name, state) => log::info!("{name}: {}", state.name()),
                Event::Gone(name, departure) => log::info!("{name}: gone ({departure:?})"),
            }
        }
        if !events.is_empty() {
            let policy = self.policy();
            let keeps = |id| {
                let mut backends = policy.backends().iter();
                backends.any(|backend| backend.id() == id && backend.state() == State::Healthy)
            };
            self.0.pools.tidy(self.now(), keeps);
            self.0.changed.notify();
        }
    }

    /// A place at a back end has become free: tells those that wait, if any do.
    pub(crate) fn tell_waiting(&self) {
        let waiting = self.policy().waiting();
        if waiting > 0 {
            self.0.changed.notify();
        }
    }

    pub(crate) fn network(&self) -> &N {
        &self.0.network
    }

    pub(crate) fn tasks(&self) -> &Handle {
        &self.0.tasks
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    pub(crate) fn now(&self) -> Instant {
        self.0.timers.now()
    }

    pub(crate) fn started(&self) -> Instant {
        self.0.started
    }

    pub(crate) fn pools(&self) -> &Pools<N::Stream> {
        &self.0.pools
    }

    pub(crate) fn changed(&self) -> &Notify {
        &self.0.changed
    }
}
