//! Requests of the toolstack about domains.

use morgana_hal::DomId;
use morgana_xenstore_wire::Errno;

use crate::effect::PendingIntroduce;
use crate::entry::FIRST_RESERVED;
use crate::handling::{Done, Handling, ok};
use crate::journal::Event;

impl Handling<'_> {
    /// A domain that is served already is served anew, over another port.
    pub(crate) fn introduce(
        &mut self,
        domain: DomId,
        frame: u64,
        port: u32,
    ) -> Result<Done, Errno> {
        self.not_of_control(domain)?;
        if domain.number() >= FIRST_RESERVED || port == 0 {
            return Err(Errno::Invalid);
        }
        self.room()?;
        Ok(Done::Pending(PendingIntroduce {
            asker: self.from,
            header: self.header,
            domain,
            frame,
            port,
        }))
    }

    pub(crate) fn release(&mut self, domain: DomId) -> Result<Done, Errno> {
        self.not_of_control(domain)?;
        if !self.store.domains.contains_key(&domain) {
            return Err(Errno::NotFound);
        }
        self.store.release(domain, self.events);
        Ok(Done::Released(domain))
    }

    pub(crate) fn set_target(&mut self, domain: DomId, target: DomId) -> Result<Done, Errno> {
        if !self.store.domains.contains_key(&target) {
            return Err(Errno::NotFound);
        }
        let introduced = self.store.domains.get(&domain).ok_or(Errno::NotFound)?;
        let connection = self.store.connections.get_mut(&introduced.connection);
        connection.ok_or(Errno::NotFound)?.caller.target = Some(target);
        self.store.journal.event(domain, Event::Target(target));
        Ok(ok())
    }

    /// The control domain comes first and stays to the end.
    pub(crate) fn not_of_control(&self, domain: DomId) -> Result<(), Errno> {
        let connection = self.store.connection_of(domain);
        let connection = connection.and_then(|id| self.store.connections.get(&id));
        match connection {
            Some(connection) if connection.caller.is_control() => Err(Errno::Invalid),
            _ => Ok(()),
        }
    }
}
