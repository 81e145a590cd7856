//! A thousand times: connect, traffic, kill one side, clean up. What lives on holds no more than after the first time.

mod common;

use common::{alone, heap_bytes, surprise};
use morgana_hal::DomId;
use morgana_topology::{
    Disks, Frames, Growth, Guest, Ledger, Worker, World, attach, driver, for_each_seed,
};

/// With the fixed seeds of the two tests of network devices, so that there are a thousand.
const CYCLES: u32 = 500;
/// With the fixed seeds of the two tests of disks.
const DISK_CYCLES: u32 = 150;
/// With a seed that nobody chose.
const MORE_CYCLES: u32 = 60;

#[test]
fn network_front_ends_die_and_others_come() {
    let _alone = alone();
    for_each_seed(&[1], |seed| {
        let cycles = if seed == 1 { CYCLES } else { MORE_CYCLES };
        fronts_die::<Frames>(seed, cycles, 0).unwrap();
    });
}

#[test]
fn network_back_ends_die_and_others_come() {
    let _alone = alone();
    for_each_seed(&[2], |seed| {
        let cycles = if seed == 2 { CYCLES } else { MORE_CYCLES };
        backs_die::<Frames>(seed, cycles).unwrap();
    });
}

#[test]
fn disk_front_ends_die_and_others_come() {
    let _alone = alone();
    for_each_seed(&[3], |seed| {
        let cycles = if seed == 3 { DISK_CYCLES } else { MORE_CYCLES };
        fronts_die::<Disks>(seed, cycles, 0).unwrap();
    });
}

#[test]
fn disk_back_ends_die_and_no_write_is_lost() {
    let _alone = alone();
    for_each_seed(&[4], |seed| {
        let cycles = if seed == 4 { DISK_CYCLES } else { MORE_CYCLES };
        backs_die::<Disks>(seed, cycles).unwrap();
    });
}

/// The measure can fail: eight bytes a cycle are too many.
#[test]
fn a_small_leak_is_noticed() {
    let _alone = alone();
    let growth = fronts_die::<Frames>(5, CYCLES, 8);
    assert!(
        matches!(growth, Err(Growth::Of(DomId::DOM0, ..))),
        "{growth:?}"
    );
}

/// Kills guests. In each cycle domain 0 loses so many bytes of heap.
fn fronts_die<G: Guest>(seed: u64, cycles: u32, leak_bytes: usize) -> Result<(), Growth> {
    let mut world = World::new(seed);
    let driver = driver(&mut world);
    let neighbour = G::start(&mut world);
    attach(&mut world, &neighbour, &driver);
    world.run_until(|| neighbour.steps() > 0);
    let driver_id = driver.inside.id();
    let zero = world.zero().clone();
    let mut ledger = Ledger::new(heap_bytes);
    for _ in 0..cycles {
        let victim = G::start(&mut world);
        let id = victim.inside().id();
        attach(&mut world, &victim, &driver);
        surprise(&mut world, &victim);
        world.kill(id);
        world.order(async move |control| {
            std::mem::forget(vec![0u8; leak_bytes]);
            control.detach(G::KIND, id, driver_id).await;
        });
        let enough = neighbour.steps() + 5;
        world.run_until(|| neighbour.steps() >= enough);
        if world.random.below(2) == 0 {
            neighbour.hold();
            victim.check();
            // Its numbers are nobody's growth.
            drop(victim);
            ledger.look(&mut world, &[&zero, &driver.inside, neighbour.inside()])?;
            neighbour.check();
            neighbour.release();
        }
    }
    assert_eq!(neighbour.connections(), 1, "nobody else noticed");
    assert_eq!(driver.violations(), 0);
    drop((driver, neighbour));
    world.end();
    Ok(())
}

/// Kills driver domains.
fn backs_die<G: Guest>(seed: u64, cycles: u32) -> Result<(), Growth> {
    let mut world = World::new(seed);
    let guests = [G::start(&mut world), G::start(&mut world)];
    let zero = world.zero().clone();
    let mut ledger = Ledger::new(heap_bytes);
    for cycle in 0..cycles {
        let driver = driver(&mut world);
        let id = driver.inside.id();
        let before = guests.each_ref().map(Worker::steps);
        for guest in &guests {
            attach(&mut world, guest, &driver);
        }
        surprise(&mut world, &guests[0]);
        if cycle == 0 || world.random.below(2) == 0 {
            world.run_until(|| {
                let mut pairs = guests.iter().zip(before);
                pairs.all(|(guest, before)| guest.steps() > before)
            });
            for guest in &guests {
                guest.hold();
            }
            let [first, second] = guests.each_ref().map(Worker::inside);
            ledger.look(&mut world, &[&zero, first, second])?;
            for guest in &guests {
                guest.check();
                guest.release();
            }
            surprise(&mut world, &guests[1]);
        }
        drop(driver);
        world.kill(id);
        if world.random.below(2) == 0 {
            let is_alone = |guest: &G| guest.is_parted() || guest.connections() == 0;
            world.run_until(|| guests.iter().all(is_alone));
        }
    }
    drop(guests);
    world.end();
    Ok(())
}
