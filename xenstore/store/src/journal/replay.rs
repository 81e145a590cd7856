//! Changes that are made once more.

use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_migration::{Node, OwnEvent, Reader, Record, Scope};
use morgana_xenstore_wire::{Path, TransactionId};

use super::{Event, stated_id};
use crate::caller::{Caller, Rights};
use crate::connection::ConnectionId;
use crate::domains::Life;
use crate::operations::Step;
use crate::state::{Misfit, entries, set_limits, step};
use crate::store::Store;
use crate::transaction::Transaction;

impl Store {
    /// Makes the changes of one frame.
    ///
    /// # Errors
    ///
    /// Which record does not fit, and why.
    pub(super) fn replay(&mut self, changes: &[u8]) -> Result<(), (usize, Misfit)> {
        let mut reader = Reader::of_changes(changes);
        loop {
            let record = reader.next();
            let record = record.map_err(|bad| (bad.record, Misfit::Flaw(bad.flaw)))?;
            let Some(record) = record else {
                return Ok(());
            };
            if let Err(misfit) = self.change_again(&record) {
                return Err((reader.last().0, misfit));
            }
        }
    }

    fn change_again(&mut self, record: &Record<'_>) -> Result<(), Misfit> {
        match record {
            Record::Step(node) => self.step_again(node),
            Record::Watch(watch) => {
                let id = self.stated_ring(watch.connection)?;
                self.load_watch(id, watch.path, watch.token, watch.depth.map(u32::from))
            }
            Record::Unwatch(watch) => {
                let id = self.stated_ring(watch.connection)?;
                self.unload_watch(id, watch.path, watch.token)
            }
            Record::Event(event) => self.happen_again(event),
            Record::Quotas(quotas) => {
                let mut quota = self.settings.quota(None);
                set_limits(&mut quota, *quotas);
                self.settings.set_quota(None, quota);
                Ok(())
            }
            Record::Domain(domain) => {
                self.load_domain(domain);
                Ok(())
            }
            _ => Err(Misfit::Stranger),
        }
    }

    /// The ring's connection.
    fn stated_ring(&self, stated: u32) -> Result<ConnectionId, Misfit> {
        let number = stated.checked_sub(1).and_then(|n| u16::try_from(n).ok());
        let connection = number.and_then(|number| self.connection_of(DomId::new(number)));
        connection.ok_or(Misfit::Connection(stated))
    }

    fn step_again(&mut self, node: &Node<'_>) -> Result<(), Misfit> {
        let Scope::Transaction(by) = node.scope else {
            return Err(Misfit::Stranger);
        };
        let caller = if by.connection == stated_id(DomId::DOM0) {
            // It may have been a local client.
            Caller::CONTROL
        } else {
            let id = self.stated_ring(by.connection)?;
            let connection = self.connections.get(&id);
            connection.ok_or(Misfit::Connection(by.connection))?.caller
        };
        let mut step = step(node).ok_or(Misfit::Step)?;
        if let Step::SetPermissions { path, list } = &mut step {
            self.name_domains(list);
            *list = self.lists.shared(entries(node.permissions));
            if let Some(special) = self.special.get_mut(path.as_str()) {
                *special = list.clone();
                return Ok(());
            }
        }
        let path = Path::parse(node.path).map_err(|_| Misfit::Path)?;
        if !path.is_absolute() {
            return Err(Misfit::Path);
        }
        // It was granted once.
        self.quietly(caller, |work| work.repeat(&step))
            .map_err(|_| Misfit::Step)
    }

    fn happen_again(&mut self, stated: &OwnEvent) -> Result<(), Misfit> {
        let domain = stated.domain;
        let unheard = &mut Vec::new();
        match Event::of_stated(stated).ok_or(Misfit::Stranger)? {
            Event::Introduced(port) => {
                let rights = if domain == DomId::DOM0 {
                    Rights::Control
                } else {
                    Rights::Guest
                };
                self.introduce_at(domain, port, rights, unheard);
            }
            Event::Released(orphans) => {
                self.set_orphans(orphans);
                self.release(domain, unheard);
            }
            Event::ShutDown => self.shut_down(domain, unheard),
            Event::Resumed => {
                if let Some(introduced) = self.domains.get_mut(&domain) {
                    introduced.life = Life::Running;
                }
            }
            Event::Cleared => self.clear(self.stated_ring(stated_id(domain))?),
            Event::Disconnected => self.disconnect(self.stated_ring(stated_id(domain))?),
            Event::Target(target) => {
                let id = self.stated_ring(stated_id(domain))?;
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.caller.target = Some(target);
                }
            }
            // No daemon gives this one out, and none would take it up again.
            Event::Began(TransactionId::NONE) => {
                return Err(Misfit::Transaction(TransactionId::NONE.0));
            }
            Event::Began(id) => {
                let open = Transaction::begin(&self.world);
                let ring = self.stated_ring(stated_id(domain))?;
                if let Some(connection) = self.connections.get_mut(&ring) {
                    connection.last_transaction = id.0;
                    connection.transactions.insert(id, open);
                }
            }
            Event::Ended(id) => {
                let ring = self.stated_ring(stated_id(domain))?;
                if let Some(connection) = self.connections.get_mut(&ring) {
                    connection.transactions.remove(&id);
                }
            }
        }
        Ok(())
    }
}
