//! Domains that come and go.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use morgana_hal::{DomId, Port};
use morgana_xenstore_wire::Errno;

use crate::caller::Rights;
use crate::connection::ConnectionId;
use crate::departure::without;
use crate::effect::PendingIntroduce;
use crate::entry::FIRST_RESERVED;
use crate::events::{INTRODUCE_DOMAIN, RELEASE_DOMAIN};
use crate::journal::Event;
use crate::outgoing::{Outgoing, reply};
use crate::store::Store;
use crate::watches::Scope;

/// What is known of an introduced domain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Introduced {
    pub(crate) connection: ConnectionId,
    pub(crate) life: Life,
    /// Its own port, by which it was introduced; 0 if that is not known.
    pub(crate) port: Port,
}

/// Whether those who watch know that the domain has shut down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Life {
    Running,
    ShutDown,
}

impl Store {
    /// A domain's ring is served from now on. Asked for a domain that is served already, it changes nothing; one that has broken its
    /// connection gets another.
    pub fn introduce(
        &mut self,
        domain: DomId,
        rights: Rights,
        out: &mut Vec<Outgoing>,
    ) -> ConnectionId {
        if let Some(known) = self.connection_of(domain) {
            return known;
        }
        // Whoever serves it knows where its ring is.
        self.introduce_at(domain, Port::new(0), rights, out)
    }

    /// The same for a domain that has told its port.
    pub(crate) fn introduce_at(
        &mut self,
        domain: DomId,
        port: Port,
        rights: Rights,
        out: &mut Vec<Outgoing>,
    ) -> ConnectionId {
        self.journal.event(domain, Event::Introduced(port));
        let known = self.connection_of(domain);
        let connection = known.unwrap_or_else(|| self.add_connection(domain, rights));
        if let Some(known) = self.domains.get_mut(&domain) {
            known.connection = connection;
            known.port = port;
            return connection;
        }
        let introduced = Introduced {
            connection,
            life: Life::Running,
            port,
        };
        self.domains.insert(domain, introduced);
        self.settings.keep(domain);
        self.fire_special(INTRODUCE_DOMAIN, Scope::All, out);
        self.fire_special(INTRODUCE_DOMAIN, Scope::One(domain), out);
        connection
    }

    /// Answers a request to introduce a domain, after its ring was mapped or could not be. Returns the domain's connection. One that was
    /// served before begins anew.
    pub fn finish_introduce(
        &mut self,
        pending: PendingIntroduce,
        mapped: Result<(), Errno>,
        out: &mut Vec<Outgoing>,
    ) -> Option<ConnectionId> {
        let payload = mapped.map(|()| &b"OK\0"[..]);
        out.push(reply(pending.asker, &pending.header, payload));
        if let Some(known) = self.connection_of(pending.domain) {
            self.clear(known);
            if mapped.is_err() {
                self.disconnect(known);
            }
        }
        mapped.ok()?;
        let port = Port::new(pending.port);
        Some(self.introduce_at(pending.domain, port, Rights::Guest, out))
    }

    /// A domain is served no longer: it was released, or is dead. Its nodes go with all below them, and it is taken out of the
    /// permissions of all others, so that a later domain with its number inherits nothing (XSA-322). Says whether it was introduced before.
    pub fn release(&mut self, domain: DomId, out: &mut Vec<Outgoing>) -> bool {
        let orphans = self.settings.orphans;
        self.journal.event(domain, Event::Released(orphans));
        let introduced = self.domains.remove(&domain);
        if let Some(introduced) = introduced {
            self.disconnect(introduced.connection);
        }
        self.settings.forget(domain);
        self.ledger.forget(domain);
        self.named.remove(&domain);
        for other in self.connections.values_mut() {
            if other.caller.target == Some(domain) {
                other.caller.target = None;
            }
        }
        self.let_transactions_go(domain);
        self.forget_owner(domain, out);
        if introduced.is_none() {
            return false;
        }
        self.fire_special(RELEASE_DOMAIN, Scope::All, out);
        self.fire_special(RELEASE_DOMAIN, Scope::One(domain), out);
        true
    }

    /// A domain has shut down, and is still there and served. Those who watch for it shall look: once, until the domain is resumed.
    pub fn shut_down(&mut self, domain: DomId, out: &mut Vec<Outgoing>) {
        let Some(introduced) = self.domains.get_mut(&domain) else {
            return;
        };
        if introduced.life == Life::Running {
            introduced.life = Life::ShutDown;
            self.journal.event(domain, Event::ShutDown);
            self.fire_special(RELEASE_DOMAIN, Scope::All, out);
            self.fire_special(RELEASE_DOMAIN, Scope::One(domain), out);
        }
    }

    /// The domain's connection, if it is served.
    pub fn connection_of(&self, domain: DomId) -> Option<ConnectionId> {
        let connection = self.domains.get(&domain)?.connection;
        let is_open = self.connections.contains_key(&connection);
        is_open.then_some(connection)
    }

    /// The domains that were introduced and not released.
    pub fn introduced(&self) -> impl Iterator<Item = DomId> {
        self.domains.keys().copied()
    }

    /// Those, and all others that the store knows something of: that permissions name, or that something was set for. Once one of them is
    /// gone it is to be [released](Self::release).
    pub fn known(&self) -> BTreeSet<DomId> {
        let set = self.settings.known();
        let mut all: BTreeSet<DomId> = self.introduced().chain(set).collect();
        // Ids that no domain can have are in permissions, too: those for all domains.
        let named = self.named.iter().copied();
        all.extend(named.filter(|domain| domain.number() < FIRST_RESERVED));
        all
    }

    /// Transactions that have given permissions to a domain that is gone would give them to a later one with its number.
    fn let_transactions_go(&mut self, domain: DomId) {
        for (&connection, state) in &mut self.connections {
            for (&id, transaction) in &mut state.transactions {
                if transaction.names(domain) {
                    self.open.remove(&(transaction.began, connection, id));
                    transaction.go_stale();
                }
            }
        }
    }

    /// Takes out what a domain that is gone owns or is allowed.
    fn forget_owner(&mut self, domain: DomId, out: &mut Vec<Outgoing>) {
        let orphans = self.settings.orphans;
        let changes = self.world.forget(domain, orphans, &mut self.last_stamp);
        self.fire(&changes, out);
        self.let_snapshots_go();
        for permissions in self.special.values_mut() {
            if let Some(fewer) = without(permissions, domain) {
                *permissions = fewer;
            }
        }
    }
}
