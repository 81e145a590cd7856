//! What waits to be sent to one client.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Notify;
use morgana_hal::{ByteStream, StreamError};
use morgana_xenstore_store::{Content, Event, MemoryLeft};
use morgana_xenstore_wire::{HEADER_LEN, Header, Operation, WatchEvent};

/// Events that may wait, how many and how long all together. A client that leaves more unread finds one for each of its watches instead.
const MAX_EVENTS: Extent = Extent {
    packets: 1024,
    bytes: 256 * 1024,
};

/// The same where memory is short.
const FEW_EVENTS: Extent = Extent {
    packets: 64,
    bytes: 8 * 1024,
};

#[derive(Debug)]
pub(crate) struct Outbox {
    state: RefCell<State>,
    /// Steps with every change.
    changes: Notify,
    is_open: Cell<bool>,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Content>,
    /// The events among them, each once.
    events: BTreeSet<Event>,
    event_bytes: usize,
    /// What has to fit besides, as it took the place of events.
    replacement: Extent,
    /// The packet that is being sent.
    sending: Vec<u8>,
    /// How much of it was sent.
    sent: usize,
    /// Whether another daemon has sent what came before it.
    is_rest: bool,
}

/// How much of something.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    packets: usize,
    bytes: usize,
}

/// Whether an event found room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) enum Pushed {
    Kept,
    /// The client has left too many unread: they are to be [replaced](Outbox::replace_events).
    TooMany,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            state: RefCell::new(State {
                queue: VecDeque::new(),
                events: BTreeSet::new(),
                event_bytes: 0,
                replacement: Extent::default(),
                sending: Vec::new(),
                sent: 0,
                is_rest: false,
            }),
            changes: Notify::default(),
            is_open: Cell::new(true),
        }
    }
}

impl State {
    fn push(&mut self, content: Content) {
        if let Content::Event(event) = &content {
            if !self.events.insert(event.clone()) {
                // The same waits already, and says no less.
                return;
            }
            self.event_bytes += event.packet_len();
        }
        self.queue.push_back(content);
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        let content = self.queue.pop_front()?;
        if let Content::Event(event) = &content {
            self.event_bytes -= event.packet_len();
            self.events.remove(event);
        }
        Some(content.into_bytes())
    }

    /// Sends this next.
    fn begin(&mut self, packet: Vec<u8>) {
        self.sending = packet;
        self.sent = 0;
        self.is_rest = false;
    }

    /// What is left of the packet that is being sent.
    fn rest(&self) -> &[u8] {
        &self.sending[self.sent..]
    }
}

impl Outbox {
    /// Nobody listens while it is closed: what is pushed is dropped.
    pub(crate) fn close(&self) {
        self.is_open.set(false);
        let mut state = self.state.borrow_mut();
        state.queue.clear();
        state.events.clear();
        state.event_bytes = 0;
        state.replacement = Extent::default();
        state.begin(Vec::new());
    }

    pub(crate) fn open(&self) {
        self.is_open.set(true);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    pub(crate) fn push(&self, content: Content, memory: MemoryLeft) -> Pushed {
        if !self.is_open() {
            return Pushed::Kept;
        }
        let mut state = self.state.borrow_mut();
        state.push(content);
        self.changes.notify();
        let most = match memory {
            MemoryLeft::Enough => MAX_EVENTS,
            MemoryLeft::Short | MemoryLeft::Exhausted => FEW_EVENTS,
        };
        // What each watch needs has to fit, and more than that, or it would be replaced for ever.
        let least = state.replacement;
        if state.events.len() > most.packets.max(2 * least.packets)
            || state.event_bytes > most.bytes.max(2 * least.bytes)
        {
            Pushed::TooMany
        } else {
            Pushed::Kept
        }
    }

    /// Drops all events that wait, and has `events` wait instead.
    pub(crate) fn replace_events(&self, events: impl Iterator<Item = Content>) {
        let mut state = self.state.borrow_mut();
        state
            .queue
            .retain(|content| matches!(content, Content::Reply(_)));
        state.events.clear();
        state.event_bytes = 0;
        for event in events {
            state.push(event);
        }
        state.replacement = Extent {
            packets: state.events.len(),
            bytes: state.event_bytes,
        };
        self.changes.notify();
    }

    /// Sends all that waits and all that comes, by `stream`. What was not sent is still there when this is dropped.
    pub(crate) async fn send<S: ByteStream>(&self, stream: &S) -> StreamError {
        loop {
            self.begin_next().await;
            if let Err(error) = poll_fn(|cx| self.poll_send(stream, cx)).await {
                return error;
            }
        }
    }

    /// Waits until there is something to send.
    async fn begin_next(&self) {
        loop {
            let seen = self.changes.count();
            {
                let state = &mut *self.state.borrow_mut();
                if !state.rest().is_empty() {
                    return;
                }
                if let Some(bytes) = state.pop() {
                    state.begin(bytes);
                    self.changes.notify();
                    return;
                }
            }
            self.changes.after(seen).await;
        }
    }

    /// Whoever waits for a change is forgotten: for the client's own task, when it is about to look.
    pub(crate) fn forget_waiting(&self) {
        self.changes.forget();
    }

    /// Sends the packet that is being sent to its end.
    fn poll_send<S: ByteStream>(
        &self,
        stream: &S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), StreamError>> {
        let state = &mut *self.state.borrow_mut();
        while !state.rest().is_empty() {
            match stream.poll_write(cx, state.rest()) {
                Poll::Ready(Ok(len)) => state.sent += len,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        state.begin(Vec::new());
        Poll::Ready(Ok(()))
    }

    /// All that was not sent, packet by packet; and how much of that is the rest of a packet whose beginning was sent.
    pub(crate) fn unsent(&self) -> (Vec<u8>, u16) {
        let state = self.state.borrow();
        let mut all = state.rest().to_vec();
        let is_begun = state.sent > 0 || state.is_rest;
        let partial = if is_begun { all.len() } else { 0 };
        for content in &state.queue {
            all.extend_from_slice(&content.bytes());
        }
        // No packet is as long as that.
        (all, u16::try_from(partial).unwrap_or(u16::MAX))
    }

    /// Has all that another daemon did not send wait here.
    pub(crate) fn refill(&self, unsent: &[u8], partial: u16) {
        let (partial, mut packets) = unsent.split_at(unsent.len().min(partial.into()));
        let state = &mut *self.state.borrow_mut();
        state.begin(partial.to_vec());
        state.is_rest = !partial.is_empty();
        while let Some(header) = packets.first_chunk::<HEADER_LEN>() {
            let header = Header::from_bytes(header);
            let len = HEADER_LEN.saturating_add(header.len as usize);
            let (packet, rest) = packets.split_at(len.min(packets.len()));
            let event = match header.operation() {
                Some(Operation::WatchEvent) => event(&packet[HEADER_LEN.min(packet.len())..]),
                _ => None,
            };
            state.push(event.unwrap_or_else(|| Content::Reply(packet.to_vec())));
            packets = rest;
        }
    }

    /// How many replies wait.
    pub(crate) fn replies(&self) -> usize {
        let state = self.state.borrow();
        state.queue.len() - state.events.len()
    }

    /// Waits until at most `most` replies wait.
    pub(crate) async fn replies_at_most(&self, most: usize) {
        loop {
            let seen = self.changes.count();
            if self.replies() <= most {
                return;
            }
            self.changes.after(seen).await;
        }
    }
}

/// An event from its payload, if it is one.
fn event(payload: &[u8]) -> Option<Content> {
    let WatchEvent { path, token } = WatchEvent::parse(payload).ok()?;
    Some(Content::Event(Event::new(path, token)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_xenstore_wire::{RequestId, TransactionId, encode};

    fn reply(text: &str) -> Content {
        Content::Reply(text.as_bytes().to_vec())
    }

    fn event(path: &str) -> Content {
        Content::Event(Event::new(path, "t").unwrap())
    }

    fn taken(outbox: &Outbox) -> Vec<Content> {
        let state = &mut *outbox.state.borrow_mut();
        core::iter::from_fn(|| {
            let next = state.queue.front()?.clone();
            assert_eq!(state.pop().unwrap(), *next.bytes());
            Some(next)
        })
        .collect()
    }

    #[test]
    fn an_event_waits_once_and_replies_keep_their_order() {
        let outbox = Outbox::default();
        for content in [
            event("e"),
            reply("r1"),
            event("e"),
            reply("r2"),
            reply("r2"),
        ] {
            assert_eq!(outbox.push(content, MemoryLeft::Enough), Pushed::Kept);
        }
        assert_eq!(outbox.replies(), 3);
        let left = [event("e"), reply("r1"), reply("r2"), reply("r2")];
        assert_eq!(taken(&outbox), left);
        assert_eq!(outbox.replies(), 0);
    }

    #[test]
    fn events_that_nobody_reads_are_replaced() {
        let outbox = Outbox::default();
        assert_eq!(outbox.push(reply("r"), MemoryLeft::Enough), Pushed::Kept);
        for (memory, most) in [(MemoryLeft::Enough, 1024), (MemoryLeft::Short, 63)] {
            let pushed = (0..)
                .find(|n| outbox.push(event(&alloc::format!("{n}")), memory) == Pushed::TooMany);
            assert_eq!(pushed, Some(most));
            // That is the first of those that come next.
            outbox.replace_events([event("w")].into_iter());
        }
        assert_eq!(taken(&outbox), [reply("r"), event("w")]);
        let memory = MemoryLeft::Enough;
        // Few long ones are as much.
        let long = "x".repeat(4000);
        let pushed = (0..)
            .find(|n| outbox.push(event(&alloc::format!("{n}{long}")), memory) == Pushed::TooMany);
        assert_eq!(pushed, Some(65));
    }

    #[test]
    fn what_was_not_sent_goes_on_elsewhere() {
        let encoded = |operation: Operation, text: &str| {
            let mut bytes = Vec::new();
            let (request, none) = (RequestId(0), TransactionId::NONE);
            encode(operation.code(), request, none, &mut bytes, |out| {
                out.extend_from_slice(text.as_bytes());
            })
            .unwrap();
            bytes
        };
        let packets = [
            encoded(Operation::Read, "first"),
            encoded(Operation::WatchEvent, "/e\0t\0"),
            encoded(Operation::Error, "last"),
        ];
        let [before, after] = [Outbox::default(), Outbox::default()];
        before.refill(&packets.concat(), 0);
        assert_eq!(before.unsent(), (packets.concat(), 0));
        {
            let state = &mut *before.state.borrow_mut();
            let first = state.pop().unwrap();
            state.begin(first);
            state.sent = 3;
        }
        let (unsent, partial) = before.unsent();
        assert_eq!(unsent, packets.concat()[3..]);
        assert_eq!(usize::from(partial), packets[0].len() - 3);
        after.refill(&unsent, partial);
        assert_eq!(after.replies(), 1);
        assert_eq!(after.state.borrow().rest(), &packets[0][3..]);
        assert_eq!(after.unsent(), (unsent, partial));
        let left = taken(&after);
        assert_eq!(left[0], event("/e"));
        assert_eq!(left[1], Content::Reply(packets[2].clone()));
    }

    #[test]
    fn a_closed_one_keeps_nothing() {
        let outbox = Outbox::default();
        outbox.close();
        assert_eq!(outbox.push(reply("r"), MemoryLeft::Enough), Pushed::Kept);
        outbox.open();
        assert!(taken(&outbox).is_empty());
    }
}
