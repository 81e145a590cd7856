//! A thousand times: connect, traffic, kill one side, clean up. What lives on holds no more than after the first time.

use cap::Cap;
use std::alloc::System;
use std::sync::Mutex;

use morgana_topology::{Driver, Guest, Inside, World, driver, for_each_seed, guest};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// One test at a time, so that the heap is one test's.
static ALONE: Mutex<()> = Mutex::new(());

/// With the fixed seed of each of the two tests, so that there are a thousand.
const CYCLES: u32 = 500;
/// With the seed that nobody chose.
const MORE_CYCLES: u32 = 150;
/// After so many cycles all tables have their size.
const WARM: u32 = 100;
/// What the heap may grow by from there on: far less than a byte a cycle for each thing that could leak.
const SLACK: usize = 4096;

/// The heap in use after the first cycles, and whether it grows.
struct Heap(usize);

impl Heap {
    fn look(&mut self, cycle: u32) {
        let now = HEAP.allocated();
        if cycle == WARM {
            self.0 = now;
        } else if cycle > WARM {
            assert!(
                now <= self.0 + SLACK,
                "cycle {cycle}: the heap has grown from {} to {now} bytes",
                self.0
            );
        }
    }
}

fn cycles(seed: u64, fixed: u64) -> u32 {
    if seed == fixed { CYCLES } else { MORE_CYCLES }
}

/// Lets things go on to a point that nobody expects.
fn surprise(world: &mut World, guest: &Guest) {
    match world.random.below(3) {
        0 => {
            let turns = world.random.below(400);
            world.run_turns(turns);
        }
        1 => world.run_until(|| guest.connections() > 0),
        _ => {
            let enough = guest.returned() + 1 + world.random.below(20);
            world.run_until(|| guest.returned() >= enough);
            let turns = world.random.below(20);
            world.run_turns(turns);
        }
    }
}

/// Waits until a domain has as many tasks and timers as it had, and compares all that it holds.
fn settle(world: &mut World, inside: &Inside, before: &mut Option<morgana_topology::Holdings>) {
    match *before {
        None => *before = Some(inside.holdings()),
        Some(before) => {
            let mut left = 400_000;
            world.run_until(|| {
                left -= 1;
                left == 0 || inside.holdings() == before
            });
            assert_eq!(inside.holdings(), before, "{}", inside.id());
        }
    }
}

#[test]
#[ignore = "in some cycles tasks, or four more KiB of heap, are left; whether the test or the code is wrong is not found yet"]
fn front_ends_die_and_others_come() {
    let _alone = ALONE.lock();
    for_each_seed(&[1], |seed| fronts_die(seed, cycles(seed, 1)));
}

fn fronts_die(seed: u64, cycles: u32) {
    let mut world = World::new(seed);
    let driver = driver(&mut world);
    let neighbour = guest(&mut world);
    attach(&mut world, &neighbour, &driver);
    world.run_until(|| neighbour.returned() > 0);
    let driver_id = driver.inside.id();
    let (mut in_zero, mut in_driver) = (None, None);
    let mut heap = Heap(0);
    for cycle in 0..cycles {
        let victim = guest(&mut world);
        let id = victim.inside.id();
        attach(&mut world, &victim, &driver);
        surprise(&mut world, &victim);
        drop(victim);
        world.kill(id);
        world.order(async move |control| control.detach(id, driver_id).await);
        let enough = neighbour.returned() + 5;
        world.run_until(|| neighbour.returned() >= enough);
        if cycle > 0 {
            settle(&mut world, &driver.inside, &mut in_driver);
            let zero = world.zero().clone();
            settle(&mut world, &zero, &mut in_zero);
            heap.look(cycle);
        } else {
            // What the first one leaves behind for a while is no measure for those that follow.
            let enough = neighbour.returned() + 10_000;
            world.run_until(|| neighbour.returned() >= enough);
        }
    }
    assert_eq!(neighbour.connections(), 1, "nobody else noticed");
    assert_eq!(driver.violations(), 0);
    drop((driver, neighbour));
    world.end();
}

#[test]
#[ignore = "in some cycles tasks, or four more KiB of heap, are left; whether the test or the code is wrong is not found yet"]
fn back_ends_die_and_others_come() {
    let _alone = ALONE.lock();
    for_each_seed(&[2], |seed| backs_die(seed, cycles(seed, 2)));
}

fn backs_die(seed: u64, cycles: u32) {
    let mut world = World::new(seed);
    let guests = [guest(&mut world), guest(&mut world)];
    let (mut in_zero, mut in_guests) = (None, [None, None]);
    let mut heap = Heap(0);
    for cycle in 0..cycles {
        let driver = driver(&mut world);
        let id = driver.inside.id();
        let before = guests.each_ref().map(Guest::returned);
        for guest in &guests {
            attach(&mut world, guest, &driver);
        }
        surprise(&mut world, &guests[0]);
        if cycle == 0 || world.random.below(2) == 0 {
            world.run_until(|| {
                guests
                    .iter()
                    .zip(before)
                    .all(|(guest, before)| guest.returned() > before)
            });
        }
        drop(driver);
        world.kill(id);
        world.run_until(|| {
            guests
                .iter()
                .all(|guest| guest.is_parted() || guest.connections() == 0)
        });
        for (guest, holdings) in guests.iter().zip(&mut in_guests) {
            settle(&mut world, &guest.inside, holdings);
        }
        let zero = world.zero().clone();
        settle(&mut world, &zero, &mut in_zero);
        heap.look(cycle);
    }
    drop(guests);
    world.end();
}

fn attach(world: &mut World, guest: &Guest, driver: &Driver) {
    let (front, back) = (guest.inside.id(), driver.inside.id());
    world.order(async move |control| control.attach(front, back).await);
    driver.serve(front);
}
