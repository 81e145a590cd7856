//! The suite on the emulation in lockstep, in orders of events that seeds determine.

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use morgana_conformance::{Check, Role};
use morgana_emul::Lockstep;
use morgana_hal::Exit;

use support::{Machine, play, serve};

fn run(seed: u64, checks: &'static [Check]) -> u64 {
    let mut world = Lockstep::new(seed);
    let machine = Machine::new(world.hypervisor());
    let (rings, hypervisor) = (machine.rings(), machine.hypervisor.clone());
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
    for seed in 0..10 {
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
