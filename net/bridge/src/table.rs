//! Which station is behind which port.

use alloc::collections::BTreeMap;
use core::time::Duration;

use morgana_hal::Instant;
use morgana_net_device::MacAddr;

use crate::PortId;

/// What is known of a station.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    port: PortId,
    place: Place,
}

/// How a station came to its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// It was told, and does not change while the port is there.
    Fixed,
    /// It was heard there, last at that time.
    Heard(Instant),
}

/// What became of an attempt to learn an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Learned {
    /// It is known to be behind that port.
    Yes,
    /// There is no place for it.
    Full,
    /// It belongs to another port, which was told so.
    Taken,
}

/// The addresses, with a limit for all, and one for those heard behind one port.
#[derive(Debug)]
pub(crate) struct Table {
    entries: BTreeMap<MacAddr, Entry>,
    limit: usize,
    port_limit: usize,
    age_limit: Duration,
}

impl Table {
    pub(crate) fn new(limit: usize, port_limit: usize, age_limit: Duration) -> Self {
        Self {
            entries: BTreeMap::new(),
            limit,
            port_limit,
            age_limit,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The port of a station, unless it was silent for too long.
    pub(crate) fn port(&self, mac: MacAddr, now: Instant) -> Option<PortId> {
        let entry = self.entries.get(&mac)?;
        self.is_fresh(entry, now).then_some(entry.port)
    }

    /// Whether the station's port was told, and is another one.
    pub(crate) fn is_taken(&self, mac: MacAddr, port: PortId) -> bool {
        self.entries
            .get(&mac)
            .is_some_and(|entry| entry.place == Place::Fixed && entry.port != port)
    }

    /// Notes that a station was heard behind a port.
    pub(crate) fn hear(&mut self, mac: MacAddr, port: PortId, now: Instant) -> Learned {
        match self.entries.get_mut(&mac) {
            Some(entry) if entry.place == Place::Fixed => {
                return match entry.port == port {
                    true => Learned::Yes,
                    false => Learned::Taken,
                };
            }
            Some(entry) if entry.port == port => {
                entry.place = Place::Heard(now);
                return Learned::Yes;
            }
            _ => {}
        }
        // Where a station that moves was heard before, it is not any more; also if there is no place for it behind its new port.
        self.entries.remove(&mac);
        if !self.has_place(port, now) {
            return Learned::Full;
        }
        let place = Place::Heard(now);
        self.entries.insert(mac, Entry { port, place });
        Learned::Yes
    }

    /// Gives a station its port, for as long as the port is there.
    pub(crate) fn fix(&mut self, mac: MacAddr, port: PortId, now: Instant) -> Learned {
        match self.entries.get(&mac) {
            Some(entry) if entry.place == Place::Fixed => return Learned::Taken,
            // Whoever was heard with it was not the one that it belongs to.
            Some(_) => {}
            None => {
                if self.entries.len() >= self.limit {
                    self.expire(now);
                }
                if self.entries.len() >= self.limit {
                    return Learned::Full;
                }
            }
        }
        let place = Place::Fixed;
        self.entries.insert(mac, Entry { port, place });
        Learned::Yes
    }

    /// Forgets all that is behind a port.
    pub(crate) fn forget(&mut self, port: PortId) {
        self.entries.retain(|_, entry| entry.port != port);
    }

    /// Whether one more address may be noted for `port`; makes room by forgetting who is silent.
    fn has_place(&mut self, port: PortId, now: Instant) -> bool {
        let fits = |table: &Self| {
            let behind = table.entries.values().filter(|entry| entry.port == port);
            behind.count() < table.port_limit && table.entries.len() < table.limit
        };
        if fits(self) {
            return true;
        }
        self.expire(now);
        fits(self)
    }

    fn expire(&mut self, now: Instant) {
        let age_limit = self.age_limit;
        self.entries
            .retain(|_, entry| is_fresh(entry, age_limit, now));
    }

    fn is_fresh(&self, entry: &Entry, now: Instant) -> bool {
        is_fresh(entry, self.age_limit, now)
    }
}

fn is_fresh(entry: &Entry, age_limit: Duration, now: Instant) -> bool {
    match entry.place {
        Place::Fixed => true,
        Place::Heard(at) => now - at < age_limit,
    }
}
