//! The suite on the emulation in lockstep, in orders of events that seeds determine.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use morgana_conformance::{Check, Failure, Role};
use morgana_emul::{Fault, FaultPlan, Lockstep, Trouble, seeds};
use morgana_hal::{DomId, Exit};

use support::{Machine, play, serve};

fn run(seed: u64, checks: &'static [Check]) -> u64 {
    let (failures, digest) = run_with(seed, checks, FaultPlan::new());
    assert_eq!(failures, [], "seed {seed}");
    digest
}

/// What the two say against the platform, and the run's digest.
fn run_with(seed: u64, checks: &'static [Check], faults: FaultPlan) -> (Vec<Failure>, u64) {
    let mut world = Lockstep::new(seed);
    let machine = Machine::new(world.hypervisor());
    let (rings, hypervisor) = (machine.rings, world.hypervisor().clone());
    world.start(machine.domain_0, |platform, tasks| {
        serve(platform, tasks, hypervisor, rings)
    });
    let failures = Rc::new(RefCell::new(Vec::new()));
    for (domain, role) in [(machine.subject, Role::Subject), (machine.peer, Role::Peer)] {
        let failures = failures.clone();
        world.start(domain, move |platform, tasks| async move {
            let outcome = play(platform, tasks, role, checks).await;
            failures.borrow_mut().extend(outcome.err());
            Exit::Poweroff
        });
    }
    world.inject(faults);
    world.run().unwrap();
    world.hypervisor().assert_clean();
    (failures.take(), world.digest())
}

fn one(check: Check) {
    let position = Check::ALL.iter().position(|&known| known == check);
    let position = position.unwrap();
    for seed in seeds(10) {
        run(seed, &Check::ALL[position..=position]);
    }
}

morgana_conformance::conformance!(one);

#[test]
fn all_in_a_row() {
    run(1, Check::ALL);
}

#[test]
fn a_seed_is_a_run() {
    let two = &Check::ALL[..2];
    assert_eq!(run(7, two), run(7, two));
    assert_ne!(run(7, two), run(8, two));
}

#[test]
fn xenstore_may_be_slow_and_events_may_be_late() {
    let faults = [1, 2].into_iter().map(DomId::new).flat_map(|domain| {
        let slow = Trouble::LateXenstore(Duration::from_millis(20));
        let late = Trouble::LateEvent(Duration::from_millis(50));
        [slow, late].map(|trouble| Fault::new(domain, trouble, 10).times(30))
    });
    let faults = faults.fold(FaultPlan::new(), FaultPlan::with);

    for seed in seeds(3) {
        let (failures, _) = run_with(seed, Check::ALL, faults.clone());
        assert_eq!(failures, [], "seed {seed}");
    }
}

/// The suite sees what it is there to see: a platform that does this is not one.
#[test]
fn a_broken_platform_does_not_pass() {
    let (subject, peer) = (DomId::new(1), DomId::new(2));
    // In the middle of the rounds, each of which takes a few microseconds of virtual time.
    let soon = Duration::from_micros(10);
    for (domain, trouble, at, check) in [
        (subject, Trouble::LostEvent, 7, "events_counted"),
        (subject, Trouble::RepeatedEvent(soon), 7, "events_counted"),
        (subject, Trouble::SpuriousEvents, 64, "events_apart"),
        (subject, Trouble::FullPorts, 1, "events_counted"),
        (peer, Trouble::FullMappings, 1, "memory_shared"),
        (subject, Trouble::FullGrants, 1, "memory_shared"),
    ] {
        let fault = Fault::new(domain, trouble, at);
        let (failures, _) = run_with(1, Check::ALL, FaultPlan::new().with(fault));
        // Both say so: the one that sees it, and the other that hears of it.
        let told = |failure: &&Failure| failure.to_string().contains(check);
        assert_eq!(
            failures.iter().filter(told).count(),
            2,
            "{fault}: {failures:?}"
        );
    }
}

#[test]
fn who_loses_the_other_gives_up() {
    let death = Fault::new(DomId::new(2), Trouble::Death, 50);
    let (failures, _) = run_with(1, Check::ALL, FaultPlan::new().with(death));
    assert_eq!(failures.len(), 1);
}
