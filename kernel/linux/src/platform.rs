//! The platform of a Linux process in a domain of Xen.

use core::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use morgana_hal::{DomId, Events, Platform, Port, Usage};
use morgana_reactor::{HasReactor, Reactor};
use rustix::fs::{OFlags, fcntl_setfl};

use crate::device::{EVTCHN, GNTALLOC, GNTDEV, OpenError};
use crate::ports::Ports;
use crate::{
    LinuxChannel, LinuxClock, LinuxConsole, LinuxEvents, LinuxIdle, LinuxMemory, LinuxOwnRing,
    LinuxXenstore, entropy,
};

/// All that a process has of the domain that it runs in. Cheap to clone; every clone is the same process.
#[derive(Clone, Debug)]
pub struct Linux(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    ports: Rc<Ports>,
    events: LinuxEvents,
    memory: LinuxMemory,
    clock: LinuxClock,
    xenstore: RefCell<Option<LinuxXenstore>>,
    console: RefCell<Option<LinuxConsole>>,
    reactor: Reactor,
}

impl Linux {
    /// Opens the devices, and returns what the run loop needs besides. The two belong to this thread.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the device's file and says what to do.
    pub fn open() -> Result<(Self, LinuxIdle), OpenError> {
        Self::open_with(EVTCHN.open()?)
    }

    /// The same with an event channel device that is open already: the program before has left it, with its ports.
    ///
    /// # Errors
    ///
    /// As of [`open`](Self::open).
    pub fn open_with(events: OwnedFd) -> Result<(Self, LinuxIdle), OpenError> {
        // Other daemons may have opened it otherwise. If that cannot be changed, it is no such device, and nothing comes from it.
        let _ = fcntl_setfl(&events, OFlags::RDWR | OFlags::NONBLOCK);
        let ports = Rc::new(Ports::new(events));
        let memory = LinuxMemory::new(GNTALLOC.open()?, GNTDEV.open()?);
        let reactor = Reactor::new(ports.device()).map_err(|error| OpenError::Reactor {
            errno: error.raw_os_error().unwrap_or(0),
        })?;
        let xenstore = LinuxXenstore::open(&reactor)?;
        let console = LinuxConsole::new(&reactor);
        let idle = LinuxIdle::new(ports.clone(), reactor.clone());
        let platform = Self(Rc::new(Inner {
            events: LinuxEvents::new(ports.clone()),
            ports,
            memory,
            clock: LinuxClock,
            xenstore: RefCell::new(xenstore),
            console: RefCell::new(Some(console)),
            reactor,
        }));
        Ok((platform, idle))
    }

    /// The ring between this domain's kernel and the xenstored that serves it, for a xenstored in this very domain: the page, and a
    /// channel to the kernel's port. Only the first domain's kernel makes one (`/proc/xen/xsd_kva`).
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn own_xenstore_ring(&self) -> Result<(LinuxOwnRing, LinuxChannel), OpenError> {
        let (page, port) = LinuxOwnRing::open()?;
        let channel = self.events().connect(DomId::SELF, port);
        Ok((page, channel.map_err(OpenError::OwnRing)?))
    }

    /// The same by an own port that the program before has left connected to the kernel's.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn own_xenstore_ring_by(
        &self,
        port: Port,
    ) -> Result<(LinuxOwnRing, LinuxChannel), OpenError> {
        let (page, _) = LinuxOwnRing::open()?;
        Ok((page, self.events().adopt(port)))
    }
}

impl HasReactor for Linux {
    fn reactor(&self) -> &Reactor {
        &self.0.reactor
    }
}

impl Platform for Linux {
    type Events = LinuxEvents;
    type Memory = LinuxMemory;
    type Clock = LinuxClock;
    type Xenstore = LinuxXenstore;
    type Console = LinuxConsole;

    fn events(&self) -> &LinuxEvents {
        &self.0.events
    }

    fn memory(&self) -> &LinuxMemory {
        &self.0.memory
    }

    fn clock(&self) -> &LinuxClock {
        &self.0.clock
    }

    fn xenstore(&self) -> Option<LinuxXenstore> {
        self.0.xenstore.take()
    }

    fn console(&self) -> Option<LinuxConsole> {
        self.0.console.take()
    }

    fn entropy(&self, out: &mut [u8]) {
        entropy::fill(out);
    }

    /// The ports and grants of this process. Heap and limits are the kernel's affair and shared with other processes; so are the pages that a
    /// peer keeps after their end, which are never this process's again.
    fn usage(&self) -> Usage {
        Usage {
            grants_used: self.0.memory.grants_in_use(),
            ports_used: self.0.ports.in_use(),
            ..Usage::default()
        }
    }
}
