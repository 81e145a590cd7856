//! Runs that a seed determines.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use morgana_exec::{Notify, yield_now};
use morgana_hal::{Channel, Clock, DomId, Events, Exit, Platform, Virq};

use crate::{DomainConfig, Leftover, Lockstep, StuckReason, seeds};

const D0: DomId = DomId::new(0);
const D1: DomId = DomId::new(1);

/// Three domains that do three things each; the order in which they got to them, and the world after.
fn race(seed: u64) -> (Vec<(DomId, u8)>, Lockstep) {
    let mut world = Lockstep::new(seed);
    let order = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..3 {
        let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
        let order = order.clone();
        world.start(domain, |platform, handle| async move {
            let mut random = [0];
            for step in 0..3u8 {
                order.borrow_mut().push((platform.id(), step));
                platform.entropy(&mut random);
                let pause = Duration::from_nanos(random[0].into());
                handle.timers().sleep(pause).await;
            }
            Exit::Poweroff
        });
    }
    world.run().unwrap();
    (order.take(), world)
}

#[test]
fn the_same_seed_gives_the_same_run_and_others_give_others() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let (order, world) = race(seed);
        let (again, replay) = race(seed);
        assert_eq!(order, again);
        assert_eq!(world.digest(), replay.digest());
        assert_eq!(world.exit(D1), Some(Exit::Poweroff));
        world.hypervisor().assert_clean();
        orders.insert(order);
    }
    assert!(orders.len() > 10, "only {} orders", orders.len());
}

#[test]
fn time_jumps_to_the_next_deadline() {
    let mut world = Lockstep::new(1);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    world.start(domain, |platform, handle| async move {
        let before = platform.clock().now();
        handle.timers().sleep(Duration::from_secs(3_600)).await;
        let slept = platform.clock().now() - before;
        assert!(slept >= Duration::from_secs(3_600) && slept < Duration::from_secs(3_601));
        Exit::Poweroff
    });
    world.run().unwrap();
    assert!(world.turns() < 10);
}

#[test]
fn a_deadlock_is_found_and_names_the_seed() {
    let mut world = Lockstep::new(42);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    world.start(domain, |_, _| async {
        Notify::new().after(0).await;
        Exit::Poweroff
    });
    let stuck = world.run().unwrap_err();
    assert_eq!(stuck.reason, StuckReason::Deadlock);
    assert!(
        stuck
            .to_string()
            .starts_with("seed 42: deadlock after 1 turns")
    );
}

#[test]
fn a_run_that_goes_on_for_ever_is_stopped() {
    let mut world = Lockstep::new(42);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    world.start(domain, |_, _| async {
        loop {
            yield_now().await;
        }
    });
    world.set_turn_limit(100);
    let stuck = world.run().unwrap_err();
    assert_eq!((stuck.reason, stuck.turns), (StuckReason::TurnLimit, 100));
}

#[test]
fn a_killed_domain_gets_no_more_turns() {
    for seed in 0..20 {
        let mut world = Lockstep::new(seed);
        let hypervisor = world.hypervisor().clone();
        let killer = hypervisor.create(DomainConfig::default()).unwrap();
        let victim = hypervisor.create(DomainConfig::default()).unwrap();
        let turns_after_death = Rc::new(RefCell::new(0));
        world.start(killer, {
            let hypervisor = hypervisor.clone();
            |_, handle| async move {
                handle.timers().sleep(Duration::from_micros(50)).await;
                assert!(hypervisor.kill(D1));
                handle.timers().sleep(Duration::from_micros(50)).await;
                Exit::Poweroff
            }
        });
        let counter = turns_after_death.clone();
        world.start(victim, |platform, _| async move {
            let channel = platform.events().listen(D0).unwrap();
            loop {
                if !hypervisor.domains().contains(&D1) {
                    *counter.borrow_mut() += 1;
                }
                channel.notify();
                yield_now().await;
            }
        });
        world.run().unwrap();
        assert_eq!(*turns_after_death.borrow(), 0);
        assert_eq!(world.exit(D1), None);
        world.hypervisor().assert_clean();
    }
}

#[test]
fn what_lives_on_after_a_domain_has_returned_is_found() {
    let mut world = Lockstep::new(1);
    let domain = world.hypervisor().create(DomainConfig::default()).unwrap();
    let kept = Rc::new(RefCell::new(None));
    let keep = kept.clone();
    world.start(domain, |platform, tasks| async move {
        keep.replace(Some(platform.events().listen(D0).unwrap()));
        let _task = tasks.spawn(core::future::pending::<()>()).unwrap();
        yield_now().await;
        Exit::Poweroff
    });
    assert_eq!(world.tasks(D0), Some(1));
    assert!(world.turn());
    assert_eq!(world.tasks(D0), Some(2));
    world.run().unwrap();
    assert_eq!(world.tasks(D0), None);
    let undead = Leftover::Undead { domain: D0 };
    let left = world.hypervisor().leftovers();
    assert!(left.iter().any(|&left| left == undead), "{left}");
    kept.take();
    world.hypervisor().assert_clean();
}

/// Domain 0 makes a domain, waits for its end, and makes the next.
#[test]
fn a_domain_may_start_others() {
    for seed in seeds(5) {
        let mut world = Lockstep::new(seed);
        let (hypervisor, starter) = (world.hypervisor().clone(), world.starter());
        let first = hypervisor.create(DomainConfig::default()).unwrap();
        world.start(first, move |platform, _| async move {
            let deaths = platform.events().virq(Virq::DomainException).unwrap();
            for _ in 0..3 {
                let seen = deaths.count();
                let child = hypervisor.create(DomainConfig::default()).unwrap();
                starter.start(child, |_, tasks| async move {
                    tasks.timers().sleep(Duration::from_millis(1)).await;
                    Exit::Reboot
                });
                deaths.after(seen).await;
            }
            Exit::Poweroff
        });
        world.run().unwrap();
        assert_eq!(world.exit(DomId::new(3)), Some(Exit::Reboot));
        assert_eq!(world.exit(D0), Some(Exit::Poweroff));
        world.hypervisor().assert_clean();
    }
}
