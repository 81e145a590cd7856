//! The platform of an emulated domain.

use core::cell::RefCell;
use std::rc::Rc;

use morgana_hal::{DomId, Platform, Usage};
use morgana_reactor::{HasReactor, Reactor};
use morgana_ring::{ByteLayout, RingStream, Side};

use crate::domain::{Life, XenstoreRing};
use crate::events::LocalPorts;
use crate::{
    Console, EmulChannel, EmulClock, EmulConsole, EmulEvents, EmulMemory, EmulShared, Hypervisor,
};

/// All that an emulated domain has of the world.
#[derive(Clone, Debug)]
pub struct EmulPlatform(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    life: Rc<Life>,
    local: Rc<LocalPorts>,
    memory: EmulMemory,
    events: EmulEvents,
    clock: EmulClock,
    xenstore: RefCell<Option<EmulXenstore>>,
    console: RefCell<Option<EmulConsole>>,
    reactor: Reactor,
}

impl EmulPlatform {
    pub(crate) fn new(
        life: Rc<Life>,
        xenstore: Option<XenstoreRing>,
        console: Console,
        reactor: Reactor,
    ) -> Self {
        let local = Rc::new(LocalPorts::default());
        let memory = EmulMemory::new(life.clone());
        let events = EmulEvents::new(life.clone(), local.clone());
        let clock = life.clock();
        let xenstore = xenstore.and_then(|ring| {
            let page = memory.built_page(ring.page, ring.grant())?;
            let channel = events.channel(ring.port());
            // The layout fits a page, so this cannot fail.
            RingStream::attach(page, channel, ByteLayout::XENSTORE, Side::Guest).ok()
        });
        Self(Rc::new(Inner {
            life,
            local,
            memory,
            events,
            clock,
            xenstore: RefCell::new(xenstore),
            console: RefCell::new(EmulConsole::new(console)),
            reactor,
        }))
    }

    pub(crate) fn local_ports(&self) -> Rc<LocalPorts> {
        self.0.local.clone()
    }

    /// The machine that the domain is in, for tests that control it from inside. `None` if it is in another process.
    pub fn hypervisor(&self) -> Option<Hypervisor> {
        let inner = self.0.life.here()?.clone();
        Some(Hypervisor { inner })
    }

    /// The domain's id.
    pub fn id(&self) -> DomId {
        self.0.life.id
    }
}

impl HasReactor for EmulPlatform {
    fn reactor(&self) -> &Reactor {
        &self.0.reactor
    }
}

/// The guest's end of its xenstore ring.
pub type EmulXenstore = RingStream<EmulShared, EmulChannel>;

impl Platform for EmulPlatform {
    type Events = EmulEvents;
    type Memory = EmulMemory;
    type Clock = EmulClock;
    type Xenstore = EmulXenstore;
    type Console = EmulConsole;

    fn events(&self) -> &EmulEvents {
        &self.0.events
    }

    fn memory(&self) -> &EmulMemory {
        &self.0.memory
    }

    fn clock(&self) -> &EmulClock {
        &self.0.clock
    }

    fn xenstore(&self) -> Option<EmulXenstore> {
        self.0.xenstore.take()
    }

    fn console(&self) -> Option<EmulConsole> {
        self.0.console.take()
    }

    fn entropy(&self, out: &mut [u8]) {
        self.0.life.fill_with_entropy(out);
    }

    fn usage(&self) -> Usage {
        self.0.life.usage()
    }
}
