//! One guest writes anything into its rings; the others notice nothing.

use morgana_topology::{
    Frames, Guest, Kind, Worker, World, attach, driver, for_each_seed, hostile,
};

#[test]
fn a_hostile_guest_disturbs_nobody() {
    for_each_seed(&[1, 2, 3], |seed| {
        let mut world = World::new(seed);
        let driver = driver(&mut world);
        let back = driver.inside.id();
        let neighbours = [Frames::start(&mut world), Frames::start(&mut world)];
        let attacker = hostile(&mut world, back);
        for neighbour in &neighbours {
            attach(&mut world, neighbour, &driver);
        }
        let front = attacker.id();
        world.order(async move |control| control.attach(Kind::Vif, front, back).await);
        driver.echo(front);
        let enough = 500;
        world.run_until(|| {
            driver.violations() >= 20 && neighbours.iter().all(|guest| guest.steps() >= enough)
        });
        for neighbour in &neighbours {
            assert_eq!(neighbour.connections(), 1);
        }
        drop((driver, neighbours, attacker));
        world.end();
    });
}
