//! The table of back ends, and which of them gets a request.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use morgana_hal::Instant;

use crate::health::Health;
use crate::{
    AddError, Backend, BackendId, BackendStats, Config, Failure, MAX_NAME, NoSuchBackend, Outcome,
    Probe, State, Totals,
};

/// A request's place at a back end. Whoever has it gives it back with [`Balancer::end_attempt`].
#[derive(Debug)]
#[must_use = "a lease that is not given back counts as a request in flight for ever"]
pub struct Lease {
    backend: BackendId,
    began: Instant,
}

impl Lease {
    /// Whose it is.
    pub const fn backend(&self) -> BackendId {
        self.backend
    }
}

/// What becomes of a request that wants a back end.
#[derive(Debug)]
pub enum Choice<A> {
    /// It goes to this one.
    Go(Lease, A),
    /// None is healthy and free: it may wait until the table changes.
    Wait,
}

/// Why a back end has left the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It was removed.
    Removed,
    /// It drained, and its last request is done.
    Drained,
    /// It drained, and had requests left when its time was over.
    DrainedLate,
}

/// What has happened, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A back end's state has changed.
    State(String, State),
    /// A back end has left the table.
    Gone(String, Departure),
}

/// Events that nobody has taken, at the most; further ones are not kept.
const EVENTS: usize = 256;

/// The policy: back ends, their health, who gets a request. Time is an argument, and nothing here waits. `A` is what a back end's address is.
#[derive(Debug)]
pub struct Balancer<A> {
    config: Config,
    backends: Vec<Backend<A>>,
    next_id: u64,
    turns: u64,
    waiting: u32,
    totals: Totals,
    events: Vec<Event>,
}

impl<A: Clone + PartialEq> Balancer<A> {
    /// A balancer without back ends.
    pub fn new(config: Config, now: Instant) -> Self {
        Self {
            config,
            backends: Vec::new(),
            next_id: 1,
            turns: 0,
            waiting: 0,
            totals: Totals::new(now),
            events: Vec::new(),
        }
    }

    /// Its thresholds and limits.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The back ends, in the order in which they came.
    pub fn backends(&self) -> &[Backend<A>] {
        &self.backends
    }

    /// The back end of this name.
    pub fn find(&self, name: &str) -> Option<&Backend<A>> {
        self.backends.iter().find(|backend| backend.name == name)
    }

    /// Adds a back end, which gets requests once a check of it has passed. If it is there already, with this address, nothing changes.
    ///
    /// # Errors
    ///
    /// [`AddError`].
    pub fn add(&mut self, name: &str, address: A, now: Instant) -> Result<BackendId, AddError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
            return Err(AddError::BadName);
        }
        if let Some(backend) = self.find(name) {
            return match backend.state() {
                _ if backend.address != address => Err(AddError::NameInUse),
                State::Draining => Err(AddError::Draining),
                _ => Ok(backend.id),
            };
        }
        if self.backends.len() >= self.config.backends {
            return Err(AddError::Full);
        }
        let id = BackendId(self.next_id);
        self.next_id += 1;
        self.backends.push(Backend {
            id,
            name: name.into(),
            address,
            health: Health::new(now),
            in_flight: 0,
            turn: 0,
            drained_by: None,
            stats: BackendStats::default(),
        });
        self.tell_state(id);
        Ok(id)
    }

    /// Takes a back end out at once. Requests that it has may end; it gets no others.
    ///
    /// # Errors
    ///
    /// [`NoSuchBackend`].
    pub fn remove(&mut self, name: &str) -> Result<(), NoSuchBackend> {
        let index = self
            .backends
            .iter()
            .position(|backend| backend.name == name);
        self.depart(index.ok_or(NoSuchBackend)?, Departure::Removed);
        Ok(())
    }

    /// Lets a back end drain: it gets no further requests, and is gone with the last one that it has, or when its time is over. Saying so again changes nothing.
    ///
    /// # Errors
    ///
    /// [`NoSuchBackend`].
    pub fn drain(&mut self, name: &str, now: Instant) -> Result<(), NoSuchBackend> {
        let by = now + self.config.drain_time;
        let mut backends = self.backends.iter_mut();
        let backend = backends
            .find(|backend| backend.name == name)
            .ok_or(NoSuchBackend)?;
        if backend.state() != State::Draining {
            backend.health.turn(State::Draining, now);
            backend.drained_by = Some(by);
            let id = backend.id;
            self.tell_state(id);
            self.settle(now);
        }
        Ok(())
    }

    /// Lets those go that have drained, or whose time for it is over.
    pub fn settle(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(backend) = self.backends.get(index) {
            match backend.drained_by {
                Some(_) if backend.in_flight == 0 => self.depart(index, Departure::Drained),
                Some(by) if by <= now => self.depart(index, Departure::DrainedLate),
                _ => index += 1,
            }
        }
    }

    /// When [`settle`](Self::settle) or [`next_check`](Self::next_check) next has something to do, if nothing else happens.
    pub fn deadline(&self) -> Option<Instant> {
        let backends = self.backends.iter();
        backends
            .flat_map(|backend| [backend.drained_by, backend.health.due()])
            .flatten()
            .min()
    }

    /// A back end whose check is due. It is under way from now on, until [`checked`](Self::checked) tells how it ended.
    pub fn next_check(&mut self, now: Instant) -> Option<(BackendId, A)> {
        let backend = self
            .backends
            .iter_mut()
            .find(|backend| backend.health.due().is_some_and(|due| due <= now))?;
        backend.health.begin_check();
        Some((backend.id, backend.address.clone()))
    }

    /// A check has ended.
    pub fn checked(&mut self, id: BackendId, probe: Probe, now: Instant) {
        let config = self.config;
        let mut others = self.backends.iter().filter(|backend| backend.id != id);
        // One that may be well is better than none.
        let rise = match others.any(|backend| backend.state() == State::Healthy) {
            true => config.checks.rise,
            false => 1,
        };
        let Some(backend) = self.backend(id) else {
            return;
        };
        let before = backend.state();
        backend.health.checked(probe, rise, now, &config);
        if probe == Probe::Failed {
            backend.stats.checks_failed += 1;
        }
        if backend.state() != before {
            self.tell_state(id);
        }
    }

    /// Counts a request that has come.
    pub const fn begin_request(&mut self) {
        self.totals.requests += 1;
        self.totals.in_flight += 1;
    }

    /// Chooses a back end: the one of those that are healthy that has the fewest requests in flight for its share, and among equals the one that was chosen the
    /// longest ago. Those in `tried` come only if there is no other.
    pub fn choose(&mut self, tried: &[BackendId], now: Instant) -> Choice<A> {
        let (most, slow_start) = (self.config.per_backend, self.config.slow_start);
        let free =
            self.backends.iter().enumerate().filter(|(_, backend)| {
                backend.state() == State::Healthy && backend.in_flight < most
            });
        let key = |backend: &Backend<A>| {
            // Larger than any count divided by a share: a thousandth of a request.
            let load = u64::from(backend.in_flight + 1) * 1_000_000
                / backend.health.share(now, slow_start).max(1);
            (tried.contains(&backend.id), load, backend.turn)
        };
        let Some(index) = free
            .min_by_key(|(_, backend)| key(backend))
            .map(|(index, _)| index)
        else {
            return Choice::Wait;
        };
        self.turns += 1;
        // It is that of a back end.
        let backend = &mut self.backends[index];
        backend.turn = self.turns;
        backend.in_flight += 1;
        backend.stats.requests += 1;
        let lease = Lease {
            backend: backend.id,
            began: now,
        };
        Choice::Go(lease, backend.address.clone())
    }

    /// Whether the request of this lease is lost, as far as one can know: its back end has become unhealthy meanwhile. One that was removed may still answer.
    pub fn is_lost(&self, lease: &Lease) -> bool {
        let backend = self.backends.iter().find(|other| other.id == lease.backend);
        backend.is_some_and(|backend| {
            backend.state() == State::Unhealthy && backend.since() >= lease.began
        })
    }

    /// Ends an attempt.
    pub fn end_attempt(&mut self, lease: Lease, outcome: Outcome, now: Instant) {
        let config = self.config;
        let Some(backend) = self.backend(lease.backend) else {
            return;
        };
        backend.in_flight = backend.in_flight.saturating_sub(1);
        backend.stats.count(outcome, now.since(lease.began));
        match outcome {
            Outcome::Answered | Outcome::ServerError => backend.health.answered(),
            Outcome::Cancelled | Outcome::Failed(Failure::Abandoned) => {}
            Outcome::Failed(_) => {
                if backend.health.failed(now, &config) {
                    backend.stats.ejections += 1;
                    self.tell_state(lease.backend);
                }
            }
        }
        self.settle(now);
    }

    /// Counts an attempt beyond the first.
    pub const fn count_retry(&mut self) {
        self.totals.retries += 1;
    }

    /// A request wants to wait: whether there is room for it. It leaves with [`leave_queue`](Self::leave_queue).
    pub const fn enter_queue(&mut self) -> bool {
        let room = self.waiting < self.config.waiting;
        if room {
            self.waiting += 1;
        }
        room
    }

    /// A request waits no more.
    pub const fn leave_queue(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// Requests that wait.
    pub const fn waiting(&self) -> u32 {
        self.waiting
    }

    /// A request has ended, so long after it came. `None` says that it was refused.
    pub fn end_request(&mut self, outcome: Option<Outcome>, took: Duration, now: Instant) {
        let totals = &mut self.totals;
        totals.in_flight = totals.in_flight.saturating_sub(1);
        match outcome {
            Some(Outcome::Answered | Outcome::ServerError) => {
                totals.answered += 1;
                totals.server_errors += u64::from(outcome == Some(Outcome::ServerError));
                totals.latency.record(took);
                totals.recent.record(took, now);
            }
            Some(Outcome::Failed(Failure::Timeout)) => totals.timeouts += 1,
            Some(Outcome::Failed(_)) => totals.bad_gateway += 1,
            Some(Outcome::Cancelled) => totals.cancelled += 1,
            None => totals.refused += 1,
        }
    }

    /// What was counted of all requests.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The same, to read what is recent.
    pub const fn totals_mut(&mut self) -> &mut Totals {
        &mut self.totals
    }

    /// What has happened since this was asked last; if it was more than is kept, the first of it.
    pub fn take_events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.events)
    }

    fn backend(&mut self, id: BackendId) -> Option<&mut Backend<A>> {
        self.backends.iter_mut().find(|backend| backend.id == id)
    }

    fn depart(&mut self, index: usize, departure: Departure) {
        let backend = self.backends.remove(index);
        self.tell(Event::Gone(backend.name, departure));
    }

    fn tell_state(&mut self, id: BackendId) {
        if let Some(backend) = self.backend(id) {
            let event = Event::State(backend.name.clone(), backend.state());
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() < EVENTS {
            self.events.push(event);
        }
    }
}
