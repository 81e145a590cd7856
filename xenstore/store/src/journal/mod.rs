//! The journal: each lasting change as a record, for a daemon that comes after one that has crashed.
//!
//! What ends with the daemon is not in it: local clients, with all that they watch and have open. Of the transactions of domains it has the names only,
//! so that they can end with `EAGAIN`, from which clients know how to go on.

mod event;
mod recover;
mod replay;

use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_migration::{
    DomainData, Frame, PermissionBytes, QuotaBytes, Record, Scope, TooLong, Transaction, Watch,
};

pub(crate) use event::Event;
pub use recover::{RecoverError, Recovered};

use crate::connection::ConnectionId;
use crate::operations::Step;
use crate::state::{DEEPEST, HandOver, Link, Reach, Service, limits, stated_step};
use crate::store::Store;

/// What has changed since the owner took it last.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    keeping: Keeping,
    frame: Frame,
    permissions: PermissionBytes,
}

/// Whether anybody wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Keeping {
    On,
    #[default]
    Off,
}

impl Journal {
    fn is_on(&self) -> bool {
        self.keeping == Keeping::On
    }

    /// A change of the main tree by a domain, or by a program that acts for it.
    pub(crate) fn step(&mut self, by: DomId, step: &Step) {
        if !self.is_on() {
            return;
        }
        let stated = stated_step(step, scope_of(by), &mut self.permissions);
        lasting(self.frame.push(&Record::Step(stated)));
    }

    pub(crate) fn event(&mut self, domain: DomId, event: Event) {
        if self.is_on() {
            lasting(self.frame.push(&Record::Event(event.stated(domain))));
        }
    }

    /// How much there is, for [`take_back`](Self::take_back).
    pub(crate) fn len(&self) -> usize {
        self.frame.len()
    }

    /// What came since it was so much has not happened.
    pub(crate) fn take_back(&mut self, len: usize) {
        self.frame.take_back(len);
    }
}

/// Whatever is in a request fits its record: a field tells lengths of up to 65,535 bytes, a packet has 4,096.
fn lasting(pushed: Result<(), TooLong>) {
    debug_assert!(pushed.is_ok());
}

/// Who has changed something, in a record.
fn scope_of(domain: DomId) -> Scope {
    Scope::Transaction(Transaction {
        connection: stated_id(domain),
        id: 0,
    })
}

/// By which number records know a domain's ring: those of connections begin with 1.
fn stated_id(domain: DomId) -> u32 {
    u32::from(domain.number()) + 1
}

impl Store {
    /// All that is to last, as the state with which a journal begins: a stream as of [`export`](Self::export), without local clients.
    ///
    /// # Errors
    ///
    /// [`TooLong`], as there.
    pub fn lasting(&self) -> Result<Vec<u8>, TooLong> {
        let rings = self.domains.iter().filter_map(|(&domain, introduced)| {
            let link = Link {
                reach: Reach::Ring(domain, introduced.port),
                service: Service::Open,
                input: Vec::new(),
                output: Vec::new(),
                partial: 0,
            };
            Some((self.connection_of(domain)?, link))
        });
        self.export(&HandOver::default(), &rings.collect())
    }

    /// From now on all that is to last is kept for [`take_changes`](Self::take_changes).
    pub fn keep_changes(&mut self) {
        self.journal.keeping = Keeping::On;
        self.journal.frame.clear();
    }

    /// Nobody wants the changes any longer.
    pub fn drop_changes(&mut self) {
        self.journal.keeping = Keeping::Off;
        self.journal.frame.clear();
    }

    /// Whether there is something for [`take_changes`](Self::take_changes).
    pub fn has_changes(&self) -> bool {
        !self.journal.frame.is_empty()
    }

    /// Gives to `take` what has changed since the last time, as a frame of a journal; nothing if nothing has. No reply to a request that is in it
    /// may leave before it is kept.
    pub fn take_changes(&mut self, take: impl FnOnce(&[u8])) {
        let frame = &mut self.journal.frame;
        if !frame.is_empty() {
            take(frame.sealed());
            frame.clear();
        }
    }

    /// Whose ring the connection is, if it is one.
    pub(crate) fn ring_of(&self, id: ConnectionId) -> Option<DomId> {
        let domain = self.connections.get(&id)?.caller.domain;
        let introduced = self.domains.get(&domain)?;
        (introduced.connection == id).then_some(domain)
    }

    /// Something has happened to a connection; that of a local client is of no interest.
    pub(crate) fn note_event(&mut self, id: ConnectionId, event: Event) {
        if self.journal.is_on()
            && let Some(domain) = self.ring_of(id)
        {
            self.journal.event(domain, event);
        }
    }

    /// A connection watches, or does not any longer: `path` is what the client wrote.
    pub(crate) fn note_watch(
        &mut self,
        id: ConnectionId,
        path: &str,
        token: &str,
        change: WatchChange,
    ) {
        if !self.journal.is_on() {
            return;
        }
        let Some(domain) = self.ring_of(id) else {
            return;
        };
        let watch = |depth: Option<u32>| Watch {
            connection: stated_id(domain),
            path,
            token,
            depth: depth.map(|depth| depth.min(DEEPEST) as u16),
        };
        lasting(self.journal.frame.push(&match change {
            WatchChange::Set(depth) => Record::Watch(watch(depth)),
            WatchChange::Unset => Record::Unwatch(watch(None)),
        }));
    }

    /// Limits or features were set: those of a domain, or those of domains that come.
    pub(crate) fn note_settings(&mut self, domain: Option<DomId>) {
        if !self.journal.is_on() {
            return;
        }
        let mut bytes = QuotaBytes::default();
        let Ok(quotas) = bytes.list(limits(self.settings.quota(domain))) else {
            return;
        };
        lasting(self.journal.frame.push(&match domain {
            None => Record::Quotas(quotas),
            Some(domain) => Record::Domain(DomainData {
                domain,
                features: Some(self.settings.of(domain).features.bits()),
                quotas,
            }),
        }));
    }
}

/// What a client does with a watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WatchChange {
    /// It sets it, with this depth.
    Set(Option<u32>),
    /// It takes it back.
    Unset,
}
