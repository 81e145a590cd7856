//! Both ends on one thread or on two, and the time that an exchange takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use morgana_emul::{DomainConfig, Hypervisor};
use morgana_hal::{DomId, Memory, Pages, Platform, SharedPages};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity, sched_yield};
use rustix::time::{ClockId, clock_gettime};

use crate::entries::Exchange;
use crate::exchange::{Back, Front, answer, ask, take};

const SLICES: usize = 20;
const SPINS_BEFORE_YIELD: u32 = 10_000;
const FRONT: DomId = DomId::new(0);
const BACK: DomId = DomId::new(1);

/// Where the two ends run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    Two,
}

/// How much is exchanged.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) batch: u64,
    pub(crate) operations: u64,
}

impl Amount {
    /// How many batches make a slice.
    pub(crate) fn rounds(self) -> u64 {
        (self.operations / SLICES as u64)
            .checked_div(self.batch)
            .unwrap_or(0)
    }
}

/// Operations a second.
pub(crate) fn run<E: Exchange>(threads: Threads, amount: Amount) -> Result<f64> {
    let machine = Hypervisor::new();
    let front = machine.create(DomainConfig::default())?;
    let back = machine.create(DomainConfig::default())?;
    let processors = processors()?;
    pin(processors[0])?;
    let (front, _idle) = front.enter();
    let pages = front.memory().share(BACK, 1)?;
    let grant = pages.grants()[0];
    let front = Front::<_, E>::new(pages)?;
    match threads {
        Threads::One => {
            let (platform, _idle) = back.enter();
            let pages = platform.memory().import(FRONT, &[grant])?;
            let mut back = Back::<_, E>::attach(pages)?;
            slices::<_, E>(front, amount, ClockId::ThreadCPUTime, || {
                answer::<_, E>(&mut back)
            })
        }
        Threads::Two => {
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = stop.clone();
            let (ready, wait) = channel();
            let other = thread::spawn(move || -> Result<()> {
                pin(processors[1])?;
                let (platform, _idle) = back.enter();
                let pages = platform.memory().import(FRONT, &[grant])?;
                let mut back = Back::<_, E>::attach(pages)?;
                ready.send(())?;
                let (mut spins, mut notifications) = (0, 0);
                while !stopped.load(Ordering::Relaxed) {
                    notifications += answer::<_, E>(&mut back)?;
                    relax(&mut spins);
                }
                check(notifications)
            });
            wait.recv().context("the back end did not start")?;
            let rate = slices::<_, E>(front, amount, ClockId::Monotonic, || Ok(0));
            stop.store(true, Ordering::Relaxed);
            other
                .join()
                .map_err(|_| anyhow!("the back end panicked"))??;
            rate
        }
    }
}

/// Drives the front end; `between` is called whenever it waits.
fn slices<M: Pages, E: Exchange>(
    mut front: Front<M, E>,
    amount: Amount,
    clock: ClockId,
    mut between: impl FnMut() -> Result<u64>,
) -> Result<f64> {
    let mut rates = Vec::with_capacity(SLICES);
    let mut number = 0;
    let (mut spins, mut notifications) = (0, 0);
    for _ in 0..SLICES {
        let start = now_ns(clock);
        for _ in 0..amount.rounds() {
            notifications += ask::<_, E>(&mut front, number, amount.batch)?;
            let end = number + amount.batch;
            while number < end {
                notifications += between()?;
                let taken = take::<_, E>(&mut front, number)?;
                if taken == 0 {
                    relax(&mut spins);
                }
                number += taken;
            }
        }
        let operations = amount.rounds() * amount.batch;
        rates.push(operations as f64 * 1e9 / (now_ns(clock) - start) as f64);
    }
    check(notifications)?;
    rates.sort_by(f64::total_cmp);
    Ok(rates[SLICES / 2])
}

/// Each end waits for something at the beginning at least.
fn check(notifications: u64) -> Result<()> {
    ensure!(notifications > 0, "no notification was ever needed");
    Ok(())
}

/// Waits a little; gives the processor away if the other end does not come to run.
fn relax(spins: &mut u32) {
    *spins += 1;
    if (*spins).is_multiple_of(SPINS_BEFORE_YIELD) {
        sched_yield();
    } else {
        std::hint::spin_loop();
    }
}

fn now_ns(clock: ClockId) -> u64 {
    let at = clock_gettime(clock);
    at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
}

/// The first and the last processor that we may use, found before a thread is pinned.
fn processors() -> Result<[usize; 2]> {
    let allowed = sched_getaffinity(None).context("cannot ask for the processors")?;
    let mut all = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let first = all.next().context("there is no processor")?;
    Ok([first, all.next_back().unwrap_or(first)])
}

fn pin(cpu: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(cpu);
    sched_setaffinity(None, &one).context("cannot pin a thread")
}
