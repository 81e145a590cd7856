//! One guest writes anything into its rings; the others notice nothing.

use morgana_topology::{World, driver, for_each_seed, guest, hostile};

#[test]
fn a_hostile_guest_disturbs_nobody() {
    for_each_seed(&[1, 2, 3], |seed| {
        let mut world = World::new(seed);
        let driver = driver(&mut world);
        let back = driver.inside.id();
        let neighbours = [guest(&mut world), guest(&mut world)];
        let attacker = hostile(&mut world, back);
        let fronts = neighbours.iter().map(|guest| guest.inside.id());
        for front in fronts.chain([attacker.id()]) {
            world.order(async move |control| control.attach(front, back).await);
            driver.serve(front);
        }
        let enough = 500;
        world.run_until(|| {
            driver.violations() >= 20 && neighbours.iter().all(|guest| guest.returned() >= enough)
        });
        for neighbour in &neighbours {
            assert_eq!(neighbour.connections(), 1);
        }
        drop((driver, neighbours, attacker));
        world.end();
    });
}
