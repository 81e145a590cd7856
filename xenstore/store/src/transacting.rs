//! Requests that begin and end transactions.

use alloc::format;

use morgana_xenstore_wire::{Commit, Errno, TransactionId};

use crate::handling::{Done, Handling, ok};
use crate::journal::Event;
use crate::ledger::Meter;
use crate::quota::Resource;
use crate::transaction::Transaction;

impl Handling<'_> {
    pub(crate) fn start(&mut self) -> Result<Done, Errno> {
        if self.header.transaction != TransactionId::NONE {
            return Err(Errno::Busy);
        }
        let open = self.connection()?.transactions.len();
        self.admit(Resource::Transactions, open + 1)?;
        let transaction = Transaction::begin(&self.store.world);
        // The control domain can always begin one: whatever else, it must be able to take things away.
        if !self.caller.is_control() {
            self.admit_bytes(transaction.bytes())?;
        }
        let began = transaction.began;
        let connection = self.connection()?;
        let id = connection.next_transaction();
        connection.transactions.insert(id, transaction);
        self.store.open.insert((began, self.from, id));
        self.store.note_event(self.from, Event::Began(id));
        Ok(Done::Reply(format!("{}\0", id.0).into_bytes()))
    }

    pub(crate) fn end(&mut self, commit: Commit) -> Result<Done, Errno> {
        let id = self.header.transaction;
        let ended = self.connection()?.transactions.remove(&id);
        let transaction = ended.ok_or(Errno::NotFound)?;
        let store = &mut *self.store;
        store.open.remove(&(transaction.began, self.from, id));
        store.note_event(self.from, Event::Ended(id));
        if commit == Commit::No {
            return Ok(ok());
        }
        let connection = store.connections.get(&self.from).ok_or(Errno::Io)?;
        let held_bytes = self.quota.map_or(0, |_| connection.held_bytes());
        let meter = Meter {
            domain: self.caller.domain,
            quota: self.quota.as_ref(),
            ledger: &mut store.ledger,
        };
        let kept = store.journal.len();
        for step in &transaction.steps {
            store.journal.step(self.caller.domain, step);
        }
        let committed = transaction.commit(
            &mut store.world,
            self.caller,
            meter,
            self.host,
            held_bytes,
            &mut store.last_stamp,
        );
        let changes = committed.inspect_err(|_| store.journal.take_back(kept))?;
        store.published(self.from, &changes, self.events);
        Ok(ok())
    }
}
