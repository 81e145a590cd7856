//! The suite on the emulation in lockstep, in orders of events that seeds determine.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use morgana_conformance::{Check, Role};
use morgana_emul::{Fault, FaultPlan, Lockstep, Trouble, seeds};
use morgana_hal::{DomId, Exit};

use support::{Machine, play, serve};

fn run(seed: u64, checks: &'static [Check]) -> u64 {
    run_with(seed, checks, FaultPlan::new())
}

fn run_with(seed: u64, checks: &'static [Check], faults: FaultPlan) -> u64 {
    let mut world = Lockstep::new(seed);
    let machine = Machine::new(world.hypervisor());
    world.inject(faults);
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
    world.run().unwrap();
    assert_eq!(*failures.borrow(), [], "seed {seed}");
    world.hypervisor().assert_clean();
    world.digest()
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
        run_with(seed, Check::ALL, faults.clone());
    }
}
