//! Events are lost, late, or come twice; tables are full. Once that is over, everything works again, and nothing is left of it.

mod common;

use common::{alone, heap_bytes, surprise};
use morgana_emul::{FaultPlan, Odds, Trouble};
use morgana_hal::DomId;
use morgana_topology::{
    Driver, Frames, Growth, Guest, HARMLESS, Ledger, Worker, World, attach, driver, for_each_seed,
};
use std::num::NonZeroU64;

const CYCLES: u32 = 30;

#[test]
fn a_network_device_outlives_faults() {
    let _alone = alone();
    for_each_seed(&[1, 2], |seed| {
        faults(seed, &HARMLESS, Stall::Never).unwrap()
    });
}

/// Xen does not lose events, and the rings rely on that. What stalls for want of one works again with another back end.
#[test]
fn a_new_back_end_mends_what_lost_events_have_stalled() {
    let _alone = alone();
    let mut troubles = HARMLESS.to_vec();
    troubles.extend([Trouble::LostEvent; 8]);
    for_each_seed(&[3, 4], |seed| {
        faults(seed, &troubles, Stall::UntilNewBackEnd).unwrap();
    });
}

/// Whether a connection may stand still for ever.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stall {
    Never,
    UntilNewBackEnd,
}

/// In each cycle a driver domain comes, things go wrong for it and for its front ends, all goes on, and it dies.
fn faults(seed: u64, troubles: &[Trouble], stall: Stall) -> Result<(), Growth> {
    let mut world = World::new(seed);
    let guests = [Frames::start(&mut world), Frames::start(&mut world)];
    let ids = guests.each_ref().map(|guest| guest.inside().id());
    let zero = world.zero().clone();
    let mut ledger = Ledger::new(heap_bytes);
    let mut struck = 0;
    for cycle in 0..CYCLES {
        let mut driver = begin(&mut world, &guests);
        // All must have been connected once before anybody can come to rest.
        if cycle > 0 {
            let plan = plan(&mut world, troubles, [ids[0], ids[1], driver.inside.id()]);
            world.inject(plan);
        }
        if stall == Stall::Never || cycle == 0 {
            surprise(&mut world, &guests[0]);
            until_all_go_on(&mut world, &guests);
        } else {
            let turns = world.random.below(2000);
            world.run_turns(turns);
            struck += world.end_faults();
            world.kill(driver.inside.id());
            driver = begin(&mut world, &guests);
        }
        struck += world.end_faults();
        until_all_go_on(&mut world, &guests);
        guests.iter().for_each(Worker::hold);
        let [first, second] = guests.each_ref().map(Worker::inside);
        ledger.look(&mut world, &[&zero, first, second])?;
        guests.iter().for_each(Worker::release);
        world.kill(driver.inside.id());
    }
    assert!(struck > CYCLES as usize, "only {struck} faults struck");
    drop(guests);
    world.end();
    Ok(())
}

/// A driver domain that serves all.
fn begin(world: &mut World, guests: &[Frames; 2]) -> Driver {
    let driver = driver(world);
    for guest in guests {
        attach(world, guest, &driver);
    }
    driver
}

fn until_all_go_on(world: &mut World, guests: &[Frames; 2]) {
    let before = guests.each_ref().map(Worker::steps);
    world.run_until(|| {
        let mut pairs = guests.iter().zip(before);
        pairs.all(|(guest, before)| guest.steps() > before + 2)
    });
}

/// What goes wrong in one cycle.
fn plan(world: &mut World, troubles: &[Trouble], domains: [DomId; 3]) -> FaultPlan {
    let odds = Odds {
        domains: domains.to_vec(),
        troubles: troubles.to_vec(),
        faults: 12,
        within: NonZeroU64::new(40).expect("it is not 0"),
    };
    FaultPlan::random(world.random.number(), &odds)
}
