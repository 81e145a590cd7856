//! A driver domain whose guests are all behind one switch.

use std::cell::RefCell;
use std::rc::Rc;

use morgana_bridge::Bridge;
use morgana_emul::EmulPlatform;
use morgana_exec::Either;
use morgana_net_device::PairDevice;
use morgana_netback::Netback;
use morgana_vifs::{Config, SourcePolicy, VifStats, Vifs};

use crate::switched::Station;
use crate::{Inside, Kind, World};

type Ports = Bridge<Either<Netback<EmulPlatform>, PairDevice>>;

/// Such a driver domain, from outside.
pub struct Switched {
    /// What is inside.
    pub inside: Inside,
    served: Rc<RefCell<Option<Served>>>,
}

struct Served {
    bridge: Ports,
    vifs: Vifs<EmulPlatform, PairDevice>,
}

/// Starts one.
pub fn switched(world: &mut World, sources: SourcePolicy) -> Switched {
    let served = Rc::new(RefCell::new(None));
    let shown = served.clone();
    let inside = world.start(move |inside| main(inside, sources, shown));
    Switched { inside, served }
}

impl Switched {
    /// How many ports the switch has.
    pub fn ports(&self) -> usize {
        self.ask(|served| served.bridge.ports().len())
    }

    /// How many addresses it remembers.
    pub fn addresses(&self) -> usize {
        self.ask(|served| served.bridge.addresses())
    }

    /// How its interfaces do.
    pub fn stats(&self) -> Vec<VifStats> {
        self.ask(|served| served.vifs.stats())
    }

    fn ask<T: Default>(&self, ask: impl Fn(&Served) -> T) -> T {
        self.served.borrow().as_ref().map(ask).unwrap_or_default()
    }
}

async fn main(inside: Inside, sources: SourcePolicy, shown: Rc<RefCell<Option<Served>>>) {
    let client = inside.xenstore();
    let (platform, handle) = (&inside.platform, &inside.handle);
    let bridge = Ports::new(handle.clone(), morgana_bridge::Config::default());
    let vifs = Vifs::new(Config {
        sources,
        ..Config::default()
    });
    *shown.borrow_mut() = Some(Served {
        bridge: bridge.clone(),
        vifs: vifs.clone(),
    });
    let bridge_for = move |_: &_| Ok(bridge.clone());
    let ended = vifs.serve(platform, &client, handle, bridge_for).await;
    panic!("the driver domain serves nobody any more: {ended:?}");
}

/// Gives a station its first port, or one at another switch.
pub fn plug(world: &mut World, station: &Station, switch: &Switched) {
    station.unsettle();
    plug_any(world, &station.inside, switch);
    station.settle();
}

/// Takes a station's port away as the toolstack does, whether the station lives or not.
pub fn unplug(world: &mut World, station: &Station, switch: &Switched) {
    station.unsettle();
    unplug_any(world, &station.inside, switch);
}

/// [`plug`] for any guest.
pub fn plug_any(world: &mut World, guest: &Inside, switch: &Switched) {
    let (front, back) = (guest.id(), switch.inside.id());
    world.order(async move |control| control.attach(Kind::Vif, front, back).await);
}

/// [`unplug`] for any guest.
pub fn unplug_any(world: &mut World, guest: &Inside, switch: &Switched) {
    let (front, back) = (guest.id(), switch.inside.id());
    world.order(async move |control| control.ask_back(Kind::Vif, front, back).await);
}
