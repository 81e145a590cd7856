//! A machine that runs on one thread, in virtual time, in an order that a seed determines.

mod starter;
mod stuck;

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;

use morgana_exec::{Executor, Handle, Task};
use morgana_hal::{Clock, DomId, Exit, Idle, Instant};

use crate::heap::{Account, charge_nobody};
use crate::random::SplitMix64;
use crate::{Domain, EmulIdle, EmulPlatform, FaultPlan, Hypervisor};

pub use starter::Starter;
pub use stuck::{Stuck, StuckReason};

/// Virtual time that one turn of a domain takes, so that time also passes for those who never wait.
const TURN: Duration = Duration::from_micros(1);
/// How many turns a run may take. A run that needs more has most likely lost its way.
const DEFAULT_TURN_LIMIT: u64 = 10_000_000;

/// Runs domains in turn: who is next is a choice among all that could run, made by the seed. The same seed and the same program give
/// the same run, to the last byte of entropy.
#[derive(Debug)]
pub struct Lockstep {
    seed: u64,
    random: SplitMix64,
    hypervisor: Hypervisor,
    domains: Vec<Running>,
    ended: Vec<(DomId, Exit)>,
    /// How many deaths have been looked at.
    buried: u64,
    starter: Starter,
    /// Who can run, in a turn; kept to be filled again.
    ready: Vec<usize>,
    turns: u64,
    turn_limit: u64,
    digest: u64,
}

#[derive(Debug)]
struct Running {
    id: DomId,
    account: Arc<Account>,
    // Dropped in this order: tasks, then their platform's idle.
    executor: Executor,
    main: Task<Exit>,
    idle: EmulIdle,
}

impl Lockstep {
    /// A machine without domains, at time zero.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            random: SplitMix64::new(seed),
            // Another stream than the scheduler's, so that reading entropy does not change the order of turns.
            hypervisor: Hypervisor::simulated(!seed),
            domains: Vec::new(),
            ended: Vec::new(),
            buried: 0,
            starter: Starter::default(),
            ready: Vec::new(),
            turns: 0,
            turn_limit: DEFAULT_TURN_LIMIT,
            digest: seed,
        }
    }

    /// The machine's hypervisor, to make and kill domains.
    pub fn hypervisor(&self) -> &Hypervisor {
        &self.hypervisor
    }

    /// Lets things go wrong from now on as `plan` says: as [`Hypervisor::inject`].
    pub fn inject(&self, plan: FaultPlan) {
        self.hypervisor.inject(plan);
    }

    /// Sets how many turns a run may take.
    pub fn set_turn_limit(&mut self, turns: u64) {
        self.turn_limit = turns;
    }

    /// Lets a domain of this machine take part. It ends when `main`'s future does.
    ///
    /// # Panics
    ///
    /// If the Linux kernel has no descriptor left for an epoll instance.
    pub fn start<M, F>(&mut self, domain: Domain, main: M)
    where
        M: FnOnce(EmulPlatform, Handle) -> F,
        F: Future<Output = Exit> + 'static,
    {
        let id = domain.id();
        let account = domain.life.account.clone();
        let _charged = account.charge();
        let (platform, idle) = domain.enter();
        let executor = Executor::new();
        let main = main(platform, executor.handle());
        let Ok(main) = executor.handle().spawn(main) else {
            unreachable!("a new executor has room for a task");
        };
        // The list is nobody's.
        let _charged = charge_nobody();
        self.domains.push(Running {
            id,
            account,
            executor,
            main,
            idle,
        });
    }

    /// What a domain of this machine can start others with, while it runs: it plays the toolstack.
    pub fn starter(&self) -> Starter {
        self.starter.clone()
    }

    /// Runs until all domains have ended.
    ///
    /// # Errors
    ///
    /// [`Stuck`]
    pub fn run(&mut self) -> Result<(), Stuck> {
        self.run_until(|world| world.domains.is_empty())
    }

    /// Runs until `done`, which is asked after each turn.
    ///
    /// # Errors
    ///
    /// [`Stuck`]
    pub fn run_until(&mut self, mut done: impl FnMut(&Self) -> bool) -> Result<(), Stuck> {
        let last = self.turns.saturating_add(self.turn_limit);
        while !done(self) {
            if self.turns >= last {
                return Err(self.stuck(StuckReason::TurnLimit));
            }
            if !self.turn() {
                return Err(self.stuck(StuckReason::Deadlock));
            }
        }
        Ok(())
    }

    fn start_new(&mut self) {
        for start in self.starter.take() {
            start(self);
        }
    }

    /// One turn of one domain, after a jump in time if nobody can run before. False if nobody ever can.
    pub fn turn(&mut self) -> bool {
        self.bury_the_dead();
        self.start_new();
        self.find_ready(self.now());
        if self.ready.is_empty() {
            let Some(next) = self.next_deadline() else {
                return false;
            };
            self.hypervisor.inner.time.advance(next);
            self.find_ready(next);
        }
        let chosen = self.ready[self.random.below(self.ready.len())];
        self.turns += 1;
        self.note(chosen as u64);
        self.note(self.now().as_nanos());
        let now = self.now();
        let running = &mut self.domains[chosen];
        let account = running.account.clone();
        let charged = account.charge();
        running.idle.dispatch();
        running.executor.turn(now);
        drop(charged);
        let mut cx = Context::from_waker(Waker::noop());
        if running.main.is_finished()
            && let Poll::Ready(exit) = Pin::new(&mut running.main).poll(&mut cx)
        {
            let Running { id, .. } = self.domains.remove(chosen);
            self.hypervisor.inner.state().returned(id);
            self.ended.extend(exit.map(|exit| (id, exit)));
        }
        self.bury_the_dead();
        self.hypervisor.inner.time.advance(now + TURN);
        true
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.hypervisor.clock().now()
    }

    /// Turns taken so far.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// A number that tells whether two runs went the same way.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How `id` ended, if it has by itself.
    pub fn exit(&self, id: DomId) -> Option<Exit> {
        let mut ended = self.ended.iter();
        ended.find_map(|&(ended, exit)| (ended == id).then_some(exit))
    }

    /// How many tasks `id` has now, its main function included; `None` if it does not run (any more). A domain that is back in the
    /// same state has as many as before.
    pub fn tasks(&self, id: DomId) -> Option<usize> {
        let mut domains = self.domains.iter();
        let running = domains.find(|running| running.id == id)?;
        Some(running.executor.handle().tasks())
    }

    fn find_ready(&mut self, now: Instant) {
        let could_run = |running: &Running| {
            running.executor.has_ready()
                || running.idle.has_pending(now)
                || running
                    .executor
                    .next_deadline()
                    .is_some_and(|due| due <= now)
        };
        self.ready.clear();
        let domains = self.domains.iter().enumerate();
        let ready = domains.filter_map(|(index, running)| could_run(running).then_some(index));
        self.ready.extend(ready);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let deadlines = self.domains.iter();
        deadlines
            .flat_map(|running| [running.executor.next_deadline(), running.idle.next_late()])
            .flatten()
            .min()
    }

    /// Killed domains never get another turn.
    fn bury_the_dead(&mut self) {
        let deaths = self.hypervisor.inner.deaths();
        if core::mem::replace(&mut self.buried, deaths) == deaths {
            return;
        }
        let running = self.hypervisor.domains();
        self.domains.retain(|domain| running.contains(&domain.id));
    }

    /// FNV-1a over what was chosen.
    fn note(&mut self, value: u64) {
        for byte in value.to_le_bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn stuck(&self, reason: StuckReason) -> Stuck {
        Stuck {
            seed: self.seed,
            turns: self.turns,
            waiting: self.domains.iter().map(|running| running.id).collect(),
            reason,
            faults: self.hypervisor.fault_plan(),
        }
    }
}

impl Drop for Lockstep {
    /// A test that fails in the middle of a run shall say how to get there again.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, turns, faults) = (self.seed, self.turns, self.hypervisor.fault_plan());
            eprintln!("lockstep: seed {seed}, after {turns} turns; {faults}");
        }
    }
}

/// The seeds that a test tries: 0 to `count`, or only the one that the environment names by `MORGANA_SEED`, to repeat a run that failed.
///
/// # Panics
///
/// If that is not a number.
pub fn seeds(count: u64) -> core::ops::Range<u64> {
    match std::env::var("MORGANA_SEED") {
        Err(_) => 0..count,
        Ok(seed) => match seed.parse::<u64>() {
            Ok(seed) => seed..seed.saturating_add(1),
            Err(_) => panic!("MORGANA_SEED is not a number: {seed}"),
        },
    }
}
