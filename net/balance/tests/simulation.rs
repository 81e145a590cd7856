//! A balancer in a simulated world: back ends that die, hang, refuse, come and go. A seed determines everything.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use morgana_balance::{
    Attempt, BackendId, Balancer, Choice, Config, Contents, Failure, Lease, Outcome, Probe,
    Progress, Repeatability, State, may_retry,
};
use morgana_hal::Instant;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What a back end does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    /// It refuses connections.
    Refuses,
    /// It takes a request and then breaks the connection.
    Breaks,
    /// It takes a request and says nothing.
    Hangs,
}

#[derive(Debug)]
struct Asked {
    came: Instant,
    repeatability: Repeatability,
    number: u32,
    tried: Vec<BackendId>,
    waits_until: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Arrival,
    AttemptEnds(usize),
    CheckEnds(BackendId, usize),
    Trouble,
}

const TIMEOUT: Duration = Duration::from_millis(400);

struct World {
    random: Random,
    now: Instant,
    balancer: Balancer<usize>,
    moods: Vec<Mood>,
    agenda: BinaryHeap<Reverse<(Instant, u64, Happening)>>,
    order: u64,
    attempts: BTreeMap<usize, (Lease, Asked, Outcome, Progress)>,
    waiting: VecDeque<Asked>,
    next_attempt: usize,
    /// What has become of requests: answered; lost that might have been repeated; lost rightly; refused.
    ends: [u64; 4],
    ready_to_arrive: u64,
    names: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Instant::ZERO;
        let mut world = Self {
            random: Random(seed),
            now,
            balancer: Balancer::new(Config::DEFAULT, now),
            moods: Vec::new(),
            agenda: BinaryHeap::new(),
            order: 0,
            attempts: BTreeMap::new(),
            waiting: VecDeque::new(),
            next_attempt: 0,
            ends: [0; 4],
            ready_to_arrive: 4000,
            names: 0,
        };
        for _ in 0..4 {
            world.join();
        }
        world.soon(1, Happening::Arrival);
        world.soon(1500, Happening::Trouble);
        world
    }

    fn soon(&mut self, ms: u64, happening: Happening) {
        self.order += 1;
        let at = self.now + Duration::from_millis(ms);
        self.agenda.push(Reverse((at, self.order, happening)));
    }

    fn join(&mut self) {
        self.names += 1;
        self.moods.push(Mood::Well);
        let added = self
            .balancer
            .add(&format!("b{}", self.names), self.moods.len() - 1, self.now);
        added.expect("there is room");
    }

    /// One back end at a time has trouble, and another may come or go; so a request finds a good one within its attempts.
    fn trouble(&mut self) {
        self.moods.fill(Mood::Well);
        let healthy: Vec<_> = self
            .balancer
            .backends()
            .iter()
            .filter(|backend| backend.state() == State::Healthy)
            .map(|backend| (backend.name().to_owned(), *backend.address()))
            .collect();
        if healthy.len() >= 3 {
            let (name, address) = &healthy[self.random.below(healthy.len() as u64) as usize];
            match self.random.below(6) {
                0 => self.moods[*address] = Mood::Refuses,
                1 => self.moods[*address] = Mood::Breaks,
                2 => self.moods[*address] = Mood::Hangs,
                3 => self.balancer.drain(name, self.now).expect("it is there"),
                4 => self.balancer.remove(name).expect("it is there"),
                _ => {}
            }
        }
        if self.balancer.backends().len() < 6 {
            self.join();
        }
        if self.ready_to_arrive > 0 {
            self.soon(1500, Happening::Trouble);
        } else {
            self.moods.fill(Mood::Well);
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Arrival => {
                self.balancer.begin_request();
                let repeatability = match self.random.below(4) {
                    0 => Repeatability::Once,
                    _ => Repeatability::Idempotent,
                };
                self.place(Asked {
                    came: self.now,
                    repeatability,
                    number: 1,
                    tried: Vec::new(),
                    waits_until: None,
                });
                self.ready_to_arrive -= 1;
                if self.ready_to_arrive > 0 {
                    let pause = self.random.below(12);
                    self.soon(pause, Happening::Arrival);
                }
            }
            Happening::AttemptEnds(number) => self.attempt_ends(number),
            Happening::CheckEnds(id, address) => {
                let probe = match self.moods[address] {
                    Mood::Well => Probe::Passed,
                    _ => Probe::Failed,
                };
                self.balancer.checked(id, probe, self.now);
            }
            Happening::Trouble => self.trouble(),
        }
    }

    /// Sends a request to a back end, or has it wait.
    fn place(&mut self, mut asked: Asked) {
        let expected = self.least_loaded(&asked.tried);
        match self.balancer.choose(&asked.tried, self.now) {
            Choice::Go(lease, address) => {
                assert!(expected.contains(&lease.backend()), "not the least loaded");
                let (took, outcome, progress) = match self.moods[address] {
                    Mood::Well => (
                        5 + self.random.below(60),
                        Outcome::Answered,
                        Progress::Answered,
                    ),
                    Mood::Refuses => (1, Outcome::Failed(Failure::Connect), Progress::NotSent),
                    Mood::Breaks => (3, Outcome::Failed(Failure::Broken), Progress::Sent),
                    Mood::Hangs => (
                        TIMEOUT.as_millis() as u64,
                        Outcome::Failed(Failure::Timeout),
                        Progress::Sent,
                    ),
                };
                let number = self.next_attempt;
                self.next_attempt += 1;
                self.attempts
                    .insert(number, (lease, asked, outcome, progress));
                self.soon(took, Happening::AttemptEnds(number));
            }
            Choice::Wait => {
                assert!(expected.is_empty(), "one is free");
                if asked.waits_until.is_none() {
                    if !self.balancer.enter_queue() {
                        self.end(asked, None);
                        return;
                    }
                    asked.waits_until = Some(self.now + self.balancer.config().wait_time);
                }
                self.waiting.push_back(asked);
            }
        }
    }

    /// Those that may be chosen, found in another way.
    fn least_loaded(&self, tried: &[BackendId]) -> Vec<BackendId> {
        let config = *self.balancer.config();
        let load = |backend: &morgana_balance::Backend<usize>| {
            let age = self.now.since(backend.since()).as_secs_f64();
            let share = (age / config.slow_start.as_secs_f64()).clamp(0.1, 1.0);
            f64::from(backend.in_flight() + 1) / share
        };
        let healthy = self.balancer.backends().iter().filter(|backend| {
            backend.state() == State::Healthy && backend.in_flight() < config.per_backend
        });
        let fresh: Vec<_> = healthy
            .clone()
            .filter(|backend| !tried.contains(&backend.id()))
            .collect();
        let from = if fresh.is_empty() {
            healthy.collect()
        } else {
            fresh
        };
        let least = from
            .iter()
            .map(|backend| load(backend))
            .fold(f64::MAX, f64::min);
        // Shares are thousandths there.
        let near = from
            .iter()
            .filter(|backend| load(backend) <= least * 1.02 + 0.01);
        near.map(|backend| backend.id()).collect()
    }

    fn attempt_ends(&mut self, number: usize) {
        let Some((lease, mut asked, outcome, progress)) = self.attempts.remove(&number) else {
            return;
        };
        let id = lease.backend();
        self.balancer.end_attempt(lease, outcome, self.now);
        if outcome == Outcome::Answered {
            return self.end(asked, Some(outcome));
        }
        let attempt = Attempt {
            number: asked.number,
            repeatability: asked.repeatability,
            progress,
            contents: Contents::Kept,
        };
        if !may_retry(attempt, self.balancer.config().attempts) {
            return self.end(asked, Some(outcome));
        }
        asked.number += 1;
        asked.tried.push(id);
        self.balancer.count_retry();
        self.place(asked);
    }

    fn end(&mut self, asked: Asked, outcome: Option<Outcome>) {
        let end = match (outcome, asked.repeatability) {
            (None, _) => 3,
            (Some(Outcome::Answered), _) => 0,
            (Some(_), Repeatability::Idempotent) => 1,
            (Some(_), Repeatability::Once) => 2,
        };
        self.ends[end] += 1;
        let took = self.now.since(asked.came);
        self.balancer.end_request(outcome, took, self.now);
    }

    /// What a proxy does when the table has changed: gives up what is lost, and looks again for those that wait.
    fn look_around(&mut self) {
        let lost: Vec<_> = self
            .attempts
            .iter()
            .filter(|(_, (lease, asked, ..))| {
                asked.repeatability == Repeatability::Idempotent && self.balancer.is_lost(lease)
            })
            .map(|(&number, _)| number)
            .collect();
        for number in lost {
            let attempt = self.attempts.get_mut(&number).expect("it was just there");
            if attempt.2 != Outcome::Answered {
                attempt.2 = Outcome::Failed(Failure::Abandoned);
                self.attempt_ends(number);
            }
        }
        for _ in 0..self.waiting.len() {
            let asked = self.waiting.pop_front().expect("as many as were counted");
            if asked.waits_until <= Some(self.now) {
                self.balancer.leave_queue();
                self.end(asked, None);
                continue;
            }
            let before = self.waiting.len();
            let waits = asked.waits_until;
            self.place(asked);
            if self.waiting.len() == before && waits.is_some() {
                self.balancer.leave_queue();
            }
        }
    }

    fn run(&mut self) {
        loop {
            while let Some((id, address)) = self.balancer.next_check(self.now) {
                let takes = match self.moods[address] {
                    Mood::Hangs => 500,
                    _ => 1,
                };
                self.soon(takes, Happening::CheckEnds(id, address));
            }
            self.balancer.settle(self.now);
            self.look_around();
            let in_flight: u32 = self
                .balancer
                .backends()
                .iter()
                .map(|backend| backend.in_flight())
                .sum();
            assert!(in_flight as usize <= self.attempts.len());
            assert_eq!(
                self.balancer.totals().in_flight as usize,
                self.attempts.len() + self.waiting.len()
            );
            assert_eq!(self.balancer.waiting() as usize, self.waiting.len());
            if self.ready_to_arrive == 0 && self.attempts.is_empty() && self.waiting.is_empty() {
                return;
            }
            let due = self.balancer.deadline();
            let next = self.agenda.peek().map(|Reverse((at, ..))| *at);
            match (due, next) {
                (Some(due), Some(next)) if due < next => self.now = due.max(self.now),
                (_, Some(_)) => {
                    let Reverse((at, _, happening)) = self.agenda.pop().expect("it was there");
                    self.now = at.max(self.now);
                    self.happens(happening);
                }
                (Some(due), None) => self.now = due.max(self.now),
                (None, None) => panic!("nothing can happen any more"),
            }
        }
    }
}

#[test]
fn no_request_is_lost_that_may_be_repeated() {
    let (mut once_lost, mut retries) = (0, 0);
    for seed in 1..=10 {
        let mut world = World::new(seed);
        world.run();
        let [answered, lost, lost_rightly, refused] = world.ends;
        assert_eq!((lost, refused), (0, 0), "seed {seed}: {:?}", world.ends);
        assert_eq!(answered + lost_rightly, 4000, "seed {seed}");
        let totals = world.balancer.totals();
        assert_eq!((totals.requests, totals.answered), (4000, answered));
        assert_eq!(totals.in_flight, 0);
        for backend in world.balancer.backends() {
            assert_eq!(backend.in_flight(), 0);
        }
        once_lost += lost_rightly;
        retries += totals.retries;
    }
    // The trouble was real.
    assert!(once_lost > 20 && retries > 200, "{once_lost} {retries}");
}

#[test]
fn equals_have_their_turns() {
    let mut world = World::new(1);
    world.ready_to_arrive = 0;
    while let Some((id, _)) = world.balancer.next_check(world.now) {
        world.balancer.checked(id, Probe::Passed, world.now);
    }
    let mut counts = BTreeMap::new();
    for _ in 0..400 {
        let Choice::Go(lease, address) = world.balancer.choose(&[], world.now) else {
            panic!("four are healthy");
        };
        *counts.entry(address).or_insert(0) += 1;
        world
            .balancer
            .end_attempt(lease, Outcome::Answered, world.now);
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [100; 4]);
}
