//! The bridge with its devices: one task for each port.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Handle;
use morgana_net_device::Device;

use crate::ports::{Port, Ports};
use crate::{Config, PortId, PortStats, Refusal, Sources, Switch};

/// How many frames are taken from a port before the others have their turn.
pub const FRAMES_IN_A_PASS: usize = 64;

/// A switch between devices of one type. Cheap to clone; every clone is the same bridge.
pub struct Bridge<D>(Rc<Inner<D>>);

struct Inner<D> {
    handle: Handle,
    state: RefCell<State<D>>,
}

struct State<D> {
    ports: Ports<D>,
    switch: Switch,
}

impl<D: Device + 'static> Bridge<D> {
    /// A bridge without ports, whose tasks run on `handle`.
    pub fn new(handle: Handle, config: Config) -> Self {
        Self(Rc::new(Inner {
            handle,
            state: RefCell::new(State {
                ports: Ports::new(config.ports),
                switch: Switch::new(&config),
            }),
        }))
    }

    /// Makes a device a port.
    ///
    /// # Errors
    ///
    /// [`AddError`] with the device.
    pub fn add(&self, device: D, sources: Sources) -> Result<PortId, AddError<D>> {
        let mut state = self.0.state.borrow_mut();
        let State { ports, switch } = &mut *state;
        let Some(id) = ports.vacancy() else {
            return Err(AddError::TooManyPorts(device));
        };
        match switch.begin(id, sources, self.0.handle.timers().now()) {
            Ok(()) => {}
            Err(Refusal::Spoofed) => return Err(AddError::AddressTaken(device)),
            Err(_) => return Err(AddError::NoAddress(device)),
        }
        let mut port = Port::new(device, sources);
        let inner = Rc::downgrade(&self.0);
        let turn = poll_fn(move |cx| match inner.upgrade() {
            Some(inner) => inner.turn(id, cx),
            // The bridge is gone, and the device with it.
            None => Poll::Ready(()),
        });
        match self.0.handle.spawn(turn) {
            Ok(task) => port.task = Some(task),
            Err(_) => {
                switch.end(id);
                return Err(AddError::TooManyTasks(port.device));
            }
        }
        ports.put(id, port);
        Ok(id)
    }

    /// Takes a port away, and gives its device back with its counters. `None` if there is no such port.
    pub fn remove(&self, id: PortId) -> Option<(D, PortStats)> {
        let mut state = self.0.state.borrow_mut();
        let port = state.ports.take(id)?;
        if let Some(task) = &port.task {
            task.abort();
        }
        state.switch.end(id);
        Some((port.device, port.stats))
    }

    /// The counters of a port, if there is such a port.
    pub fn stats(&self, id: PortId) -> Option<PortStats> {
        let state = self.0.state.borrow();
        state.ports.port(id).map(|port| port.stats)
    }

    /// The ports that there are now.
    pub fn ports(&self) -> Vec<PortId> {
        let state = self.0.state.borrow();
        state.ports.iter().map(|(id, _)| id).collect()
    }

    /// How many addresses are remembered.
    pub fn addresses(&self) -> usize {
        self.0.state.borrow().switch.addresses()
    }

    /// How often an address was not learned because there was no place for it.
    pub fn unlearned(&self) -> u64 {
        self.0.state.borrow().switch.unlearned()
    }
}

impl<D: Device> Inner<D> {
    /// A turn of a port's task.
    fn turn(&self, id: PortId, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.handle.timers().now();
        let mut state = self.state.borrow_mut();
        let State { ports, switch } = &mut *state;
        if ports.turn(id, switch, now, FRAMES_IN_A_PASS, cx).is_ready() {
            // There may be more; but the others first.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<D> Clone for Bridge<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D> Drop for Inner<D> {
    fn drop(&mut self) {
        self.state.get_mut().ports.abort();
    }
}

impl<D> fmt::Debug for Bridge<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").finish_non_exhaustive()
    }
}

/// Why a device did not become a port. The device is given back.
#[derive(Debug)]
pub enum AddError<D> {
    /// There are as many ports as there can be.
    TooManyPorts(D),
    /// The executor has no task left.
    TooManyTasks(D),
    /// The address that is to belong to it belongs to another port.
    AddressTaken(D),
    /// What is to be its address is none.
    NoAddress(D),
}

impl<D> AddError<D> {
    /// The device.
    pub fn into_device(self) -> D {
        match self {
            Self::TooManyPorts(device)
            | Self::TooManyTasks(device)
            | Self::AddressTaken(device)
            | Self::NoAddress(device) => device,
        }
    }
}

impl<D> fmt::Display for AddError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyPorts(_) => "the bridge has no port left",
            Self::TooManyTasks(_) => "no task is left for a port of the bridge",
            Self::AddressTaken(_) => "the station's address belongs to another port of the bridge",
            Self::NoAddress(_) => "the station's address is a group's or none",
        })
    }
}

impl<D: fmt::Debug> core::error::Error for AddError<D> {}
