//! What waits to be sent to one client.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use morgana_exec::Notify;
use morgana_xenstore_store::{Outgoing, PacketKind};

/// Packets that may wait before no further request of the client is handled.
const MANY: usize = 16;
/// Packets that may wait at all. Only events can come to that, of a client that watches much and reads nothing; it is given up.
const TOO_MANY: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: RefCell<VecDeque<Outgoing>>,
    /// The events among them, each once.
    events: RefCell<BTreeSet<Vec<u8>>>,
    /// Steps with every change.
    changes: Notify,
    is_overrun: Cell<bool>,
}

/// The client has left too much unread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Overrun;

impl Outbox {
    pub(crate) fn push(&self, packet: Outgoing) {
        let mut queue = self.queue.borrow_mut();
        if packet.kind == PacketKind::Event
            && !self.events.borrow_mut().insert(packet.bytes.clone())
        {
            // The same waits already, and says no less.
            return;
        }
        if queue.len() >= TOO_MANY {
            self.is_overrun.set(true);
        } else {
            queue.push_back(packet);
        }
        self.changes.notify();
    }

    /// The next packet, when there is one.
    pub(crate) async fn next(&self) -> Result<Vec<u8>, Overrun> {
        loop {
            let seen = self.changes.count();
            if self.is_overrun.get() {
                return Err(Overrun);
            }
            let next = self.queue.borrow_mut().pop_front();
            if let Some(packet) = next {
                if packet.kind == PacketKind::Event {
                    self.events.borrow_mut().remove(&packet.bytes);
                }
                self.changes.notify();
                return Ok(packet.bytes);
            }
            self.changes.after(seen).await;
        }
    }

    /// Waits until the client has taken most of what it was sent.
    pub(crate) async fn room(&self) {
        loop {
            let seen = self.changes.count();
            if self.queue.borrow().len() < MANY {
                return;
            }
            self.changes.after(seen).await;
        }
    }
}
