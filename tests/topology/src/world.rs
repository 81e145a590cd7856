//! The machine: domain 0, and whoever a test adds and kills.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use morgana_emul::{Domain, DomainConfig, EmulPlatform, FaultPlan, Lockstep, XenstoreServer};
use morgana_exec::{Handle, Sender, channel};
use morgana_hal::{DomId, Exit, Platform};
use morgana_xenstore_client::Client;

use crate::control::{Control, Order, control};
use crate::ledger::Rest;
use crate::{Holdings, Random};

/// A machine whose domain 0 runs xenstored and obeys orders.
pub struct World {
    machine: Lockstep,
    orders: Sender<Order>,
    obeyed: Rc<Cell<u64>>,
    ordered: u64,
    /// The test's own choices.
    pub random: Random,
    zero: Inside,
}

/// What is inside a domain, for a test to look at from outside. It keeps the domain from ending by itself; killing it works all the same.
#[derive(Clone, Debug)]
pub struct Inside {
    pub(crate) platform: EmulPlatform,
    pub(crate) handle: Handle,
}

impl Inside {
    /// The domain's id.
    pub fn id(&self) -> DomId {
        self.platform.id()
    }

    /// What it holds now.
    pub fn holdings(&self) -> Holdings {
        Holdings::of(&self.platform, &self.handle)
    }

    /// A connection to xenstored, of which there is one.
    pub(crate) fn xenstore(&self) -> Client {
        let stream = self.platform.xenstore();
        let stream =
            stream.expect("a domain of a world has a xenstore ring, and this is its only user");
        Client::start(stream, &self.handle).expect("a new domain has room for tasks")
    }
}

impl World {
    /// A machine with domain 0 only.
    pub fn new(seed: u64) -> Self {
        let mut machine = Lockstep::new(seed);
        // A test is one long run of many short ones.
        machine.set_turn_limit(u64::MAX);
        let config = DomainConfig {
            xenstore: Some(XenstoreServer::Itself),
            ..DomainConfig::default()
        };
        let domain = machine
            .hypervisor()
            .create(config)
            .expect("domain 0 can be made");
        let ring = domain.xenstore_ring().expect("it was asked for");
        let (orders, received) = channel(1);
        let obeyed = Rc::new(Cell::new(0));
        let counter = obeyed.clone();
        let zero = enter(&mut machine, domain, move |inside| {
            control(inside, ring, received, counter)
        });
        Self {
            machine,
            orders,
            obeyed,
            ordered: 0,
            random: Random::new(seed.rotate_left(32)),
            zero,
        }
    }

    /// Domain 0.
    pub fn zero(&self) -> &Inside {
        &self.zero
    }

    /// Makes a domain, which xenstored serves, and runs `main` in it until it is killed or `main` ends.
    pub fn start<F>(&mut self, main: impl FnOnce(Inside) -> F) -> Inside
    where
        F: Future<Output = ()> + 'static,
    {
        let config = DomainConfig {
            xenstore: Some(XenstoreServer::Domain(DomId::DOM0)),
            ..DomainConfig::default()
        };
        let domain = self
            .machine
            .hypervisor()
            .create(config)
            .expect("a domain can be made");
        let (id, ring) = (domain.id(), domain.xenstore_ring());
        let port = ring.expect("it was asked for").port();
        self.order(async move |control| control.introduce(id, port).await);
        enter(&mut self.machine, domain, main)
    }

    /// Lets domain 0 do something, and waits until it is done.
    pub fn order(&mut self, order: impl AsyncFnOnce(&Control) + 'static) {
        let order: Order = Box::new(move |control| Box::pin(async move { order(&control).await }));
        assert!(self.orders.try_send(order).is_ok(), "one order at a time");
        self.ordered += 1;
        let (obeyed, ordered) = (self.obeyed.clone(), self.ordered);
        self.run_until(move || obeyed.get() == ordered);
    }

    /// Kills a domain, whatever it is doing, and lets the toolstack clean up what it knows of it.
    pub fn kill(&mut self, id: DomId) {
        assert!(self.machine.hypervisor().kill(id), "{id} is not there");
        self.order(async move |control| control.bury(id).await);
    }

    /// Runs until `done`.
    ///
    /// # Panics
    ///
    /// If nobody can run, or it takes too long; the message names the seed.
    pub fn run_until(&mut self, mut done: impl FnMut() -> bool) {
        let last = self.machine.turns() + TURNS;
        let ran = self.machine.run_until(|machine| {
            assert!(machine.turns() < last, "no end after {TURNS} turns");
            done()
        });
        if let Err(stuck) = ran {
            panic!("{stuck}");
        }
    }

    /// Runs a number of turns, or fewer if nobody can run.
    pub fn run_turns(&mut self, turns: u64) {
        for _ in 0..turns {
            if !self.machine.turn() {
                return;
            }
        }
    }

    /// Lets things go wrong from now on as `plan` says.
    pub fn inject(&self, plan: FaultPlan) {
        self.machine.inject(plan);
    }

    /// Lets nothing go wrong any more. Tells how many faults have struck.
    pub fn end_faults(&self) -> usize {
        let struck = self.machine.hypervisor().struck().len();
        self.machine.inject(FaultPlan::new());
        struck
    }

    /// Runs until nobody has anything to do for [`REST`], and tells what there was in that while. What `domains` hold after a wait is not what
    /// they hold in it, so each turn may be the last one before.
    pub(crate) fn rest(&mut self, domains: &[&Inside], heap_bytes: fn() -> usize) -> Rest {
        let last = self.machine.turns() + TURNS;
        let mut rest = Rest {
            holdings: vec![Holdings::default(); domains.len()],
            heap_bytes: 0,
        };
        loop {
            for (holdings, domain) in rest.holdings.iter_mut().zip(domains) {
                *holdings = domain.holdings();
            }
            rest.heap_bytes = heap_bytes();
            let before = self.machine.now();
            // Time jumps to the next timer only when nobody can run before.
            if !self.machine.turn() || self.machine.now() >= before + REST {
                return rest;
            }
            assert!(self.machine.turns() < last, "no rest in {TURNS} turns");
        }
    }

    /// How many grants, mappings, pages and ports are in use beyond what domains begin with.
    pub fn in_use(&self) -> usize {
        self.machine.hypervisor().leftovers().iter().count()
    }

    /// Ends all domains, and checks that nothing is left over.
    pub fn end(self) {
        let Self {
            mut machine, zero, ..
        } = self;
        let hypervisor = machine.hypervisor().clone();
        for id in hypervisor.domains() {
            hypervisor.kill(id);
        }
        machine.turn();
        drop((machine, zero));
        hypervisor.assert_clean();
    }
}

/// Runs `main` in a domain.
fn enter<F>(machine: &mut Lockstep, domain: Domain, main: impl FnOnce(Inside) -> F) -> Inside
where
    F: Future<Output = ()> + 'static,
{
    let mut seen = None;
    machine.start(domain, |platform, handle| {
        let inside = Inside { platform, handle };
        seen = Some(inside.clone());
        let main = main(inside);
        async move {
            main.await;
            Exit::Poweroff
        }
    });
    seen.expect("main was called")
}

/// How long nobody does anything while all is at rest: longer than the ends of a device wait for each other.
const REST: Duration = Duration::from_secs(6);

/// How many turns a step of a test may take.
const TURNS: u64 = 2_000_000;
