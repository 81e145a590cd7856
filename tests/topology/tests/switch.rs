//! Stations behind one switch: they come, go, lie and die, and nobody gets what is another's, or what nobody has sent.

mod common;

use common::{alone, heap_bytes, surprise};
use morgana_emul::{FaultPlan, Odds};
use morgana_topology::{
    Growth, HARMLESS, Inside, Ledger, Roster, Station, Switched, Worker, World, for_each_seed,
    hostile, liar, plug, plug_any, switched, unplug, unplug_any,
};
use morgana_vifs::SourcePolicy;
use std::num::NonZeroU64;
use std::rc::Rc;

/// The heap is compared from the twentieth look on.
const CYCLES: u32 = 40;

/// Those that stay while others come and go.
struct Net {
    world: World,
    zero: Inside,
    roster: Rc<Roster>,
    switch: Switched,
    residents: Vec<Station>,
    ledger: Ledger,
}

impl Net {
    fn new(seed: u64, sources: SourcePolicy) -> Self {
        let mut world = World::new(seed);
        let (zero, roster) = (world.zero().clone(), Rc::new(Roster::default()));
        let switch = switched(&mut world, sources);
        let residents: Vec<_> = (0..3)
            .map(|_| Station::start(&mut world, &roster))
            .collect();
        for station in &residents {
            plug(&mut world, station, &switch);
        }
        let mut net = Self {
            world,
            zero,
            roster,
            switch,
            residents,
            ledger: Ledger::new(heap_bytes),
        };
        net.go_on(3);
        net
    }

    /// Runs until every resident has had so many more answers.
    fn go_on(&mut self, more: u64) {
        let enough: Vec<u64> = self
            .residents
            .iter()
            .map(|one| one.steps() + more)
            .collect();
        let residents = &self.residents;
        self.world.run_until(|| {
            let mut pairs = residents.iter().zip(&enough);
            pairs.all(|(station, enough)| station.steps() >= *enough)
        });
    }

    /// Compares what everybody holds with the looks before.
    fn look(&mut self) -> Result<(), Growth> {
        self.residents.iter().for_each(Worker::hold);
        let mut domains = vec![&self.zero, &self.switch.inside];
        domains.extend(self.residents.iter().map(Worker::inside));
        self.ledger.look(&mut self.world, &domains)?;
        assert_eq!(self.switch.ports(), self.residents.len());
        assert_eq!(self.switch.addresses(), self.residents.len());
        self.residents.iter().for_each(Worker::release);
        Ok(())
    }

    fn end(self) {
        drop((self.switch, self.residents));
        self.world.end();
    }
}

#[test]
fn stations_come_and_go_with_their_own_addresses() {
    let _alone = alone();
    for_each_seed(&[1], |seed| {
        come_and_go(seed, SourcePolicy::OwnAddress).unwrap()
    });
}

#[test]
fn stations_come_and_go_and_are_learned() {
    let _alone = alone();
    for_each_seed(&[2], |seed| come_and_go(seed, SourcePolicy::Any).unwrap());
}

/// In each cycle one more station comes; and dies, or loses its port while it lives, or a resident does and gets it back.
fn come_and_go(seed: u64, sources: SourcePolicy) -> Result<(), Growth> {
    let mut net = Net::new(seed, sources);
    for _ in 0..CYCLES {
        let visitor = Station::start(&mut net.world, &net.roster);
        plug(&mut net.world, &visitor, &net.switch);
        surprise(&mut net.world, &visitor);
        let resident = net.world.random.below(6) as usize;
        if let Some(resident) = net.residents.get(resident) {
            unplug(&mut net.world, resident, &net.switch);
            let turns = net.world.random.below(2000);
            net.world.run_turns(turns);
            plug(&mut net.world, resident, &net.switch);
        }
        if net.world.random.below(2) == 0 {
            unplug(&mut net.world, &visitor, &net.switch);
            visitor.kill(&mut net.world);
        } else {
            visitor.kill(&mut net.world);
            unplug(&mut net.world, &visitor, &net.switch);
        }
        drop(visitor);
        net.go_on(2);
        net.look()?;
    }
    net.end();
    Ok(())
}

/// One writes anything into its rings, another sends anything in frames; both die.
#[test]
fn liars_disturb_nobody() {
    let _alone = alone();
    for_each_seed(&[3, 4], |seed| lie(seed).unwrap());
}

fn lie(seed: u64) -> Result<(), Growth> {
    let mut net = Net::new(seed, SourcePolicy::OwnAddress);
    let mut counted = [0; 3];
    for _ in 0..CYCLES * 3 / 4 {
        let back = net.switch.inside.id();
        let liars = [
            liar(&mut net.world, &net.roster),
            hostile(&mut net.world, back),
        ];
        for liar in &liars {
            plug_any(&mut net.world, liar, &net.switch);
        }
        net.go_on(10);
        for vif in net.switch.stats() {
            let (port, device) = (vif.port, vif.device);
            let more = [
                port.in_spoofed + port.in_malformed,
                port.in_reserved,
                device.violations,
            ];
            counted
                .iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
        }
        for liar in &liars {
            let id = liar.id();
            net.world.kill(id);
            unplug_any(&mut net.world, liar, &net.switch);
        }
        drop(liars);
        net.go_on(2);
        net.look()?;
    }
    assert!(counted.iter().all(|&count| count > 10), "{counted:?}");
    for station in &net.residents {
        assert_eq!(station.connections(), 1, "nobody else noticed");
    }
    net.end();
    Ok(())
}

#[test]
fn a_switch_dies_and_another_comes() {
    let _alone = alone();
    for_each_seed(&[5], |seed| switches_die(seed).unwrap());
}

fn switches_die(seed: u64) -> Result<(), Growth> {
    let mut net = Net::new(seed, SourcePolicy::Any);
    for _ in 0..CYCLES * 3 / 4 {
        let which = net.world.random.below(3) as usize;
        surprise(&mut net.world, &net.residents[which]);
        net.roster.unsettle_all();
        net.world.kill(net.switch.inside.id());
        net.switch = switched(&mut net.world, SourcePolicy::Any);
        for station in &net.residents {
            plug(&mut net.world, station, &net.switch);
        }
        net.go_on(2);
        net.look()?;
    }
    net.end();
    Ok(())
}

#[test]
fn a_switch_outlives_faults() {
    let _alone = alone();
    for_each_seed(&[6, 7], |seed| faults(seed).unwrap());
}

/// In each cycle a station comes while things go wrong for all. A device in trouble may be closed and opened again, so the switch may forget.
fn faults(seed: u64) -> Result<(), Growth> {
    let mut net = Net::new(seed, SourcePolicy::Any);
    let mut struck = 0;
    for _ in 0..CYCLES * 3 / 4 {
        let visitor = Station::start(&mut net.world, &net.roster);
        net.roster.unsettle_all();
        let mut domains: Vec<_> = net.residents.iter().map(|one| one.inside().id()).collect();
        domains.extend([net.switch.inside.id(), visitor.inside().id()]);
        let odds = Odds {
            domains,
            troubles: HARMLESS.to_vec(),
            faults: 16,
            within: NonZeroU64::new(40).expect("it is not 0"),
        };
        let plan = FaultPlan::random(net.world.random.number(), &odds);
        net.world.inject(plan);
        plug_any(&mut net.world, visitor.inside(), &net.switch);
        surprise(&mut net.world, &visitor);
        struck += net.world.end_faults();
        visitor.kill(&mut net.world);
        unplug(&mut net.world, &visitor, &net.switch);
        drop(visitor);
        net.go_on(2);
        net.roster.settle_all();
        net.go_on(2);
        net.look()?;
    }
    assert!(struck > CYCLES as usize, "only {struck} faults struck");
    net.end();
    Ok(())
}
