//! Requests that come, and what follows from them.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use morgana_xenstore_wire::{Errno, Packet};

use crate::caller::Caller;
use crate::changes::Change;
use crate::connection::ConnectionId;
use crate::effect::{Effect, PendingCommand};
use crate::handling::{Done, Handling};
use crate::host::{Host, MemoryLeft};
use crate::ledger::{Meter, Notice};
use crate::outgoing::{Outgoing, reply};
use crate::quota::Resource;
use crate::store::Store;

/// How much snapshots of open transactions may keep from being freed, in bytes: the oldest are given up then.
const PINNED_BYTES: u64 = 32 << 20;

/// The payload of a reply that has nothing to tell.
const OK: &[u8] = b"OK\0";

/// Whether a request changed what open transactions of others may have looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contention {
    /// It did not.
    None,
    /// There were such transactions, and it changed the tree.
    Others,
}

impl Store {
    /// Handles a packet from a connection: appends the reply, then the events that it brings about. A connection that does not exist
    /// gets no reply. What the store has to know besides, it asks `host`.
    pub fn handle(
        &mut self,
        from: ConnectionId,
        packet: Packet<'_>,
        host: &dyn Host,
        out: &mut Vec<Outgoing>,
    ) -> Effect {
        self.make_room(host);
        let Some(connection) = self.connections.get(&from) else {
            return Effect::None;
        };
        self.contention = Contention::None;
        let (header, caller) = (packet.header, connection.caller);
        let quota = (!caller.is_control()).then(|| self.settings.of(caller.domain).quota);
        let mut events = Vec::new();
        let mut request = Handling {
            from,
            caller,
            quota,
            header,
            store: self,
            host,
            events: &mut events,
        };
        let result = request.run(packet.payload);
        let (payload, effect) = match result {
            Ok(Done::Ok) => (Ok(OK.into()), Effect::None),
            Ok(Done::Reply(payload)) => (Ok(Cow::Owned(payload)), Effect::None),
            Ok(Done::Released(domain)) => (Ok(OK.into()), Effect::Release(domain)),
            Ok(Done::Pending(pending)) => return Effect::Introduce(pending),
            Ok(Done::Command(command)) => {
                return Effect::Command(PendingCommand {
                    asker: from,
                    header,
                    command,
                });
            }
            Err(error) => (Err(error), Effect::None),
        };
        out.push(reply(
            from,
            &header,
            payload.as_deref().map_err(|&error| error),
        ));
        out.append(&mut events);
        effect
    }

    /// Answers a command that the store's owner has carried out.
    pub fn finish_command(
        &mut self,
        pending: &PendingCommand,
        result: Result<(), Errno>,
        out: &mut Vec<Outgoing>,
    ) {
        let payload = result.map(|()| &b"OK\0"[..]);
        out.push(reply(pending.asker, &pending.header, payload));
    }

    /// Whether the last request changed what open transactions of others may have looked at.
    pub fn contention(&self) -> Contention {
        self.contention
    }

    /// Whether a request of the connection may be handled while so many of its replies have not been taken. A no goes into the notices.
    pub fn may_ask(&mut self, connection: ConnectionId, waiting: usize) -> bool {
        let Some(connection) = self.connections.get(&connection) else {
            return true;
        };
        let caller = connection.caller;
        let quota = (!caller.is_control()).then(|| self.settings.of(caller.domain).quota);
        let mut meter = Meter {
            domain: caller.domain,
            quota: quota.as_ref(),
            ledger: &mut self.ledger,
        };
        meter.admit(Resource::Outstanding, waiting + 1).is_ok()
    }

    /// The main tree was changed so by a connection's request: those who watch hear of it.
    pub(crate) fn published(
        &mut self,
        from: ConnectionId,
        changes: &[Change],
        out: &mut Vec<Outgoing>,
    ) {
        if changes.is_empty() {
            return;
        }
        let own = self.connections.get(&from);
        let own = own.map_or(0, |connection| connection.transactions.len());
        if self.open.len() > own {
            self.contention = Contention::Others;
        }
        self.fire(changes, out);
        self.let_snapshots_go();
    }

    /// Gives up the oldest snapshots, if they keep too much from being freed.
    pub(crate) fn let_snapshots_go(&mut self) {
        while let Some(&(began, _, _)) = self.open.first()
            && self.world.replaced.saturating_sub(began) > PINNED_BYTES
        {
            self.let_one_go(|_| true);
        }
    }

    /// Gives up the oldest snapshots while memory is not enough: those of guests first, and where nothing is left the control domain's but one, so that
    /// its tools, which need a transaction for that, can take things away.
    fn make_room(&mut self, host: &dyn Host) {
        while match host.memory_left() {
            MemoryLeft::Enough => false,
            MemoryLeft::Short => self.let_one_go(|caller| !caller.is_control()),
            MemoryLeft::Exhausted => {
                self.let_one_go(|caller| !caller.is_control())
                    || (self.open.len() > 1 && self.let_one_go(|_| true))
            }
        } {}
    }

    /// Gives up the oldest snapshot of such callers. False if there is none.
    fn let_one_go(&mut self, whose: impl Fn(&Caller) -> bool) -> bool {
        let is_meant = |connection| {
            let connection = self.connections.get(connection);
            connection.is_none_or(|connection| whose(&connection.caller))
        };
        let mut open = self.open.iter();
        let Some(&oldest) = open.find(|(_, connection, _)| is_meant(connection)) else {
            return false;
        };
        self.open.remove(&oldest);
        let (_, connection, id) = oldest;
        if let Some(connection) = self.connections.get_mut(&connection)
            && let Some(transaction) = connection.transactions.get_mut(&id)
        {
            transaction.go_stale();
            let domain = connection.caller.domain;
            self.ledger.notice(Notice::Stale { domain });
        }
        true
    }
}
