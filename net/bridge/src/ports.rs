//! The devices behind a bridge's ports, and the way of a frame from one to others.

use alloc::vec::Vec;
use core::task::{Context, Poll};

use morgana_exec::Task;
use morgana_hal::Instant;
use morgana_net_device::{Capabilities, Device, RxFrame};

use crate::deliver::Frame;
use crate::{Decision, PortId, PortStats, Refusal, Sources, Switch};

/// A device that is a port.
#[derive(Debug)]
pub(crate) struct Port<D> {
    pub(crate) device: D,
    pub(crate) sources: Sources,
    pub(crate) stats: PortStats,
    pub(crate) task: Option<Task<()>>,
    able: Capabilities,
    /// Whether it was sent something since the last flush.
    unflushed: bool,
}

impl<D: Device> Port<D> {
    pub(crate) fn new(device: D, sources: Sources) -> Self {
        Self {
            able: device.capabilities(),
            device,
            sources,
            stats: PortStats::default(),
            task: None,
            unflushed: false,
        }
    }

    fn deliver(&mut self, frame: &mut Frame<'_>) {
        frame.deliver(&mut self.device, &self.able, &mut self.stats);
        self.unflushed = true;
    }
}

/// All ports of a bridge. A place is empty while there is no such port, and while its port is having its turn.
#[derive(Debug)]
pub(crate) struct Ports<D> {
    places: Vec<Option<Port<D>>>,
    limit: usize,
}

impl<D> Ports<D> {
    /// Ends the tasks of all ports.
    pub(crate) fn abort(&self) {
        for port in self.places.iter().flatten() {
            if let Some(task) = &port.task {
                task.abort();
            }
        }
    }
}

impl<D: Device> Ports<D> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            places: Vec::new(),
            limit,
        }
    }

    /// An empty place.
    pub(crate) fn vacancy(&mut self) -> Option<PortId> {
        if let Some(index) = self.places.iter().position(Option::is_none) {
            return Some(PortId(index));
        }
        if self.places.len() >= self.limit {
            return None;
        }
        self.places.push(None);
        Some(PortId(self.places.len() - 1))
    }

    pub(crate) fn put(&mut self, id: PortId, port: Port<D>) {
        if let Some(place) = self.places.get_mut(id.0) {
            *place = Some(port);
        }
    }

    pub(crate) fn take(&mut self, id: PortId) -> Option<Port<D>> {
        self.places.get_mut(id.0)?.take()
    }

    pub(crate) fn port(&self, id: PortId) -> Option<&Port<D>> {
        self.places.get(id.0)?.as_ref()
    }

    pub(crate) fn port_mut(&mut self, id: PortId) -> Option<&mut Port<D>> {
        self.places.get_mut(id.0)?.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PortId, &Port<D>)> {
        let numbered = self.places.iter().enumerate();
        numbered.filter_map(|(index, place)| Some((PortId(index), place.as_ref()?)))
    }

    /// Gives a port its turn, if it has something to do: passes on at most `budget` frames, and shows all that were sent to.
    pub(crate) fn turn(
        &mut self,
        id: PortId,
        switch: &mut Switch,
        now: Instant,
        budget: usize,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let Some(mut port) = self.take(id) else {
            return Poll::Pending;
        };
        let ready = port.device.poll_ready(cx);
        if ready.is_ready() {
            self.pass(id, &mut port, switch, now, budget);
            port.device.flush();
            port.unflushed = false;
            self.flush();
        }
        self.put(id, port);
        ready
    }

    fn pass(
        &mut self,
        id: PortId,
        from: &mut Port<D>,
        switch: &mut Switch,
        now: Instant,
        budget: usize,
    ) {
        for _ in 0..budget {
            let Some(mut received) = from.device.receive() else {
                return;
            };
            let meta = received.meta();
            let bytes = received.bytes();
            let stats = &mut from.stats;
            stats.count_in(bytes.len());
            let decision = switch.decide(id, from.sources, bytes, now);
            let mut frame = Frame::new(bytes, meta);
            match decision {
                Decision::To(to) => {
                    if let Some(port) = self.port_mut(to) {
                        port.deliver(&mut frame);
                    }
                }
                Decision::ToOthers => {
                    stats.in_flooded += 1;
                    // The own place is empty now.
                    for port in self.places.iter_mut().flatten() {
                        port.deliver(&mut frame);
                    }
                }
                Decision::Stays => {}
                Decision::Refused(Refusal::Malformed) => stats.in_malformed += 1,
                Decision::Refused(Refusal::Spoofed) => stats.in_spoofed += 1,
                Decision::Refused(Refusal::Reserved) => stats.in_reserved += 1,
            }
        }
    }

    fn flush(&mut self) {
        for port in self.places.iter_mut().flatten() {
            if core::mem::take(&mut port.unflushed) {
                port.device.flush();
            }
        }
    }
}
