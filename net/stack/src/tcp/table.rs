//! All connections, and who is to be looked at when.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use morgana_exec::{SmallMap, Waiters};
use morgana_hal::Instant;

use super::connection::{Body, Connection, End, Lease, Stage};
use super::listener::Listening;
use super::names::Names;

/// A connection's place in the table. A place that is used again gets a new generation, so that an old id finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ConnectionId {
    pub(crate) index: u32,
    generation: u32,
}

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    connection: Option<Box<Connection>>,
}

/// All of TCP.
#[derive(Debug, Default)]
pub(crate) struct Tcp {
    places: Vec<Place>,
    free: Vec<u32>,
    pub(crate) names: Names,
    pub(crate) listeners: SmallMap<u16, Listening>,
    /// Those that may have something to send, each once.
    ready: VecDeque<ConnectionId>,
    deadlines: BTreeSet<(Instant, ConnectionId)>,
    /// Those that wait for a neighbour's Ethernet address.
    blocked: Vec<ConnectionId>,
    /// Bytes leased out for buffers.
    pub(crate) memory: usize,
    /// How many are parked.
    pub(crate) parked: usize,
    /// Where [`super::park`] looks next.
    pub(crate) hand: usize,
    /// Until when acknowledgements of SYN cookies may come.
    pub(crate) cookies_until: Option<Instant>,
    /// Writers that wait for buffer memory.
    pub(crate) memory_waiters: Waiters,
}

impl Tcp {
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// How many places there are, used or not.
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn insert(&mut self, connection: Connection) -> ConnectionId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        let id = ConnectionId {
            index,
            generation: place.generation,
        };
        self.memory += connection.lease.bytes();
        self.names.give(connection.flow, id);
        place.connection = Some(Box::new(connection));
        id
    }

    pub(crate) fn get(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let place = self.places.get_mut(id.index as usize)?;
        if place.generation != id.generation {
            return None;
        }
        place.connection.as_deref_mut()
    }

    /// The connection in a place, with its id.
    pub(crate) fn at(&mut self, index: usize) -> Option<(ConnectionId, &mut Connection)> {
        let place = self.places.get_mut(index)?;
        let id = ConnectionId {
            index: index as u32,
            generation: place.generation,
        };
        Some((id, place.connection.as_deref_mut()?))
    }

    /// Takes a connection out of everything.
    pub(crate) fn remove(&mut self, id: ConnectionId) {
        self.end(id, End::Finished);
        self.set_deadline(id, None);
        let Some(place) = self.places.get_mut(id.index as usize) else {
            return;
        };
        if place.generation == id.generation && place.connection.take().is_some() {
            place.generation = place.generation.wrapping_add(1);
            self.free.push(id.index);
        }
    }

    /// Takes a connection's socket and name away. Only its stream, if there is one, remembers it.
    pub(crate) fn end(&mut self, id: ConnectionId, how: End) {
        let Some(connection) = self.get(id) else {
            return;
        };
        if matches!(connection.body, Body::Ended(_)) {
            return;
        }
        let was_parked = matches!(connection.body, Body::Parked);
        connection.body = Body::Ended(how);
        let bytes = core::mem::replace(&mut connection.lease, Lease::NONE).bytes();
        let (flow, stage) = (connection.flow, connection.stage);
        connection.wake();
        self.parked -= usize::from(was_parked);
        self.release(bytes);
        self.names.take(&flow, id);
        if matches!(stage, Stage::Opening { .. } | Stage::Queued)
            && let Some(listening) = self.listeners.get_mut(&flow.local.port())
        {
            listening.forget(id, stage);
        }
    }

    /// Gives buffer memory back.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.memory -= bytes;
        if bytes > 0 {
            self.memory_waiters.wake_all();
        }
    }

    /// Puts a connection among those that may have something to send. Says whether it was not there yet.
    pub(crate) fn make_ready(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.get(id) else {
            return false;
        };
        let new = !core::mem::replace(&mut connection.queued, true);
        if new {
            self.ready.push_back(id);
        }
        new
    }

    pub(crate) fn next_ready(&mut self) -> Option<ConnectionId> {
        loop {
            let id = self.ready.pop_front()?;
            if let Some(connection) = self.get(id) {
                connection.queued = false;
                return Some(id);
            }
        }
    }

    /// How many are ready, at most.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn set_deadline(&mut self, id: ConnectionId, deadline: Option<Instant>) {
        let Some(connection) = self.get(id) else {
            return;
        };
        let before = core::mem::replace(&mut connection.deadline, deadline);
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.deadlines.remove(&(before, id));
        }
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, id));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Makes those ready whose deadline has come.
    pub(crate) fn wake_due(&mut self, now: Instant) {
        while let Some(&(deadline, id)) = self.deadlines.first()
            && deadline <= now
        {
            self.set_deadline(id, None);
            self.make_ready(id);
        }
    }

    /// Remembers that a connection waits for a neighbour.
    pub(crate) fn block(&mut self, id: ConnectionId) {
        let Some(connection) = self.get(id) else {
            return;
        };
        if core::mem::replace(&mut connection.blocked, true) {
            return;
        }
        if self.blocked.len() > 2 * self.places.len() {
            // Strangers can come and go without any neighbour ever answering.
            let mut blocked = core::mem::take(&mut self.blocked);
            blocked.retain(|id| self.get(*id).is_some());
            self.blocked = blocked;
        }
        self.blocked.push(id);
    }

    /// A connection has sent something: it waits for no neighbour any more.
    pub(crate) fn has_sent(&mut self, id: ConnectionId) {
        if let Some(connection) = self.get(id)
            && core::mem::replace(&mut connection.blocked, false)
        {
            self.blocked.retain(|other| *other != id);
        }
    }

    /// A neighbour has told its address: those who wait for one try again. They go on waiting until they have sent something: it may have been another one's.
    pub(crate) fn unblock(&mut self) {
        let mut blocked = core::mem::take(&mut self.blocked);
        blocked.retain(|id| {
            let lives = self.get(*id).is_some();
            if lives {
                self.make_ready(*id);
            }
            lives
        });
        self.blocked = blocked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowKey;
    use crate::tcp::{TcpOptions, Wire};
    use core::net::{Ipv4Addr, SocketAddr};

    fn connection(port: u16) -> Connection {
        let end = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        let flow = FlowKey {
            remote: end(port),
            local: end(1),
        };
        let (wire, options) = (Wire::new(0, 1500), TcpOptions::default());
        Connection::new(flow, Stage::Open, Body::Parked, wire, Lease::NONE, options)
    }

    /// A table that believes in so many parked connections, for [`connection`]s to be inserted.
    fn parked(parked: usize) -> Tcp {
        Tcp {
            parked,
            ..Tcp::default()
        }
    }

    #[test]
    fn a_place_that_is_used_again_is_not_found_by_its_old_id() {
        let mut tcp = parked(2);
        let old = tcp.insert(connection(1));
        tcp.remove(old);
        let new = tcp.insert(connection(2));
        assert_eq!(old.index, new.index);
        assert!(tcp.get(old).is_none() && tcp.get(new).is_some());
        assert_eq!(tcp.len(), 1);
        let taken = |port| tcp.names.is_taken(&connection(port).flow);
        assert!(!taken(1) && taken(2));
    }

    #[test]
    fn those_who_wait_for_a_neighbour_are_bounded() {
        let mut tcp = parked(1000);
        for port in 0..1000 {
            let id = tcp.insert(connection(port));
            tcp.block(id);
            tcp.block(id);
            tcp.remove(id);
        }
        assert!(tcp.blocked.len() <= 3);
    }

    #[test]
    fn deadlines_come_in_order_and_each_once() {
        let mut tcp = parked(3);
        let ids: Vec<_> = (0..3).map(|port| tcp.insert(connection(port))).collect();
        let at = |nanos| Some(Instant::from_nanos(nanos));
        tcp.set_deadline(ids[0], at(30));
        tcp.set_deadline(ids[1], at(20));
        tcp.set_deadline(ids[2], at(10));
        tcp.set_deadline(ids[0], at(5));
        assert_eq!(tcp.next_deadline(), at(5));
        tcp.remove(ids[2]);
        tcp.wake_due(Instant::from_nanos(25));
        assert_eq!(tcp.next_deadline(), None);
        assert_eq!(tcp.next_ready(), Some(ids[0]));
        assert_eq!(tcp.next_ready(), Some(ids[1]));
        assert_eq!(tcp.next_ready(), None);
    }
}
