//! What waits to be sent to one client.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Context, Poll};

use morgana_exec::Notify;
use morgana_hal::StreamError;
use morgana_xenstore_store::{Content, Event, MemoryLeft};
use morgana_xenstore_wire::{HEADER_LEN, Header, Operation, RequestId, WatchEvent};

use crate::line::Line;

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

/// The requests that are answered later, all together, in bytes: those of more are not kept for after a crash.
pub(crate) const MOST_UNANSWERED: usize = 1024;

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
    /// How long the replies among them are.
    reply_bytes: usize,
    /// How many replies there have been.
    replied: u64,
    /// Requests that were handled, and are answered later.
    unanswered: Vec<(RequestId, Vec<u8>)>,
    /// Whether [`take_change`](Outbox::take_change) has something to tell.
    has_changed: bool,
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

/// What is sent from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begun {
    /// What was begun before.
    Rest,
    Reply,
    Event,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            state: RefCell::new(State {
                queue: VecDeque::new(),
                reply_bytes: 0,
                replied: 0,
                unanswered: Vec::new(),
                has_changed: false,
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
    fn unanswered_len(&self) -> usize {
        self.unanswered.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    fn push(&mut self, content: Content) {
        match &content {
            Content::Event(event) => {
                if !self.events.insert(event.clone()) {
                    // The same waits already, and says no less.
                    return;
                }
                self.event_bytes += event.packet_len();
            }
            Content::Reply(packet) => {
                self.reply_bytes += packet.len();
                self.replied += 1;
                self.has_changed = true;
                self.answered(packet);
            }
        }
        self.queue.push_back(content);
    }

    fn pop(&mut self) -> Option<(Begun, Vec<u8>)> {
        let content = self.queue.pop_front()?;
        let begun = match &content {
            Content::Event(event) => {
                self.event_bytes -= event.packet_len();
                self.events.remove(event);
                Begun::Event
            }
            Content::Reply(packet) => {
                self.reply_bytes -= packet.len();
                Begun::Reply
            }
        };
        Some((begun, content.into_bytes()))
    }

    /// The request need not be kept any longer to which this is the reply.
    fn answered(&mut self, packet: &[u8]) {
        if !self.unanswered.is_empty()
            && let Some(header) = packet.first_chunk()
        {
            let request = Header::from_bytes(header).request;
            let asked = self.unanswered.iter().position(|(id, _)| *id == request);
            asked.map(|asked| self.unanswered.remove(asked));
        }
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

    /// How long that is if its beginning was sent.
    fn begun_len(&self) -> usize {
        if self.sent > 0 || self.is_rest {
            self.rest().len()
        } else {
            0
        }
    }
}

impl Outbox {
    /// Nobody listens while it is closed: what is pushed is dropped.
    pub(crate) fn close(&self) {
        self.is_open.set(false);
        let mut state = self.state.borrow_mut();
        state.queue.clear();
        state.reply_bytes = 0;
        state.unanswered.clear();
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

    /// Sends all that waits and all that comes, by `line`; `begin` is called before each packet. What was not sent is still there when this is dropped.
    pub(crate) async fn send<L: Line>(&self, line: &L, begin: impl Fn(Begun)) -> StreamError {
        loop {
            begin(self.begin_next().await);
            if let Err(error) = poll_fn(|cx| self.poll_send(line, cx)).await {
                return error;
            }
        }
    }

    /// Waits until there is something to send.
    async fn begin_next(&self) -> Begun {
        loop {
            let seen = self.changes.count();
            {
                let state = &mut *self.state.borrow_mut();
                if !state.rest().is_empty() {
                    return Begun::Rest;
                }
                if let Some((begun, bytes)) = state.pop() {
                    state.begin(bytes);
                    self.changes.notify();
                    return begun;
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
    fn poll_send<L: Line>(&self, line: &L, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        let state = &mut *self.state.borrow_mut();
        while !state.rest().is_empty() {
            match line.poll_write(cx, state.rest()) {
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
        let partial = state.begun_len();
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

    /// A request was handled, and is answered later.
    pub(crate) fn leave_unanswered(&self, id: RequestId, request: Vec<u8>) {
        let mut state = self.state.borrow_mut();
        if self.is_open() && state.unanswered_len() + request.len() <= MOST_UNANSWERED {
            state.unanswered.push((id, request));
        }
    }

    /// How long those requests are.
    pub(crate) fn unanswered_len(&self) -> usize {
        self.state.borrow().unanswered_len()
    }

    /// Appends them.
    pub(crate) fn copy_unanswered(&self, into: &mut Vec<u8>) {
        for (_, request) in &self.state.borrow().unanswered {
            into.extend_from_slice(request);
        }
    }

    /// How much is left of the packet that is being sent.
    pub(crate) fn rest_len(&self) -> usize {
        self.state.borrow().rest().len()
    }

    /// Appends what is left of the packet that is being sent, and the replies that wait as far as there is room for them. Says how much of that is the rest of a packet
    /// whose beginning was sent.
    pub(crate) fn copy_replies(&self, into: &mut Vec<u8>, room: usize) -> usize {
        let state = self.state.borrow();
        into.extend_from_slice(state.rest());
        for content in &state.queue {
            if let Content::Reply(packet) = content {
                if into.len() + packet.len() > room {
                    break;
                }
                into.extend_from_slice(packet);
            }
        }
        state.begun_len()
    }

    /// Whether a reply has come since this was last asked.
    pub(crate) fn take_change(&self) -> bool {
        core::mem::take(&mut self.state.borrow_mut().has_changed)
    }

    /// How many replies there have been.
    pub(crate) fn replied(&self) -> u64 {
        self.state.borrow().replied
    }

    /// How many replies wait.
    pub(crate) fn replies(&self) -> usize {
        let state = self.state.borrow();
        state.queue.len() - state.events.len()
    }

    /// Waits until at most `most` replies wait.
    pub(crate) async fn replies_at_most(&self, most: usize) {
        self.until(|| self.replies() <= most).await;
    }

    /// Waits until the replies that wait are at most so long together.
    pub(crate) async fn reply_bytes_at_most(&self, most: usize) {
        self.until(|| self.state.borrow().reply_bytes <= most).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let seen = self.changes.count();
            if is_so() {
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
            assert_eq!(state.pop().unwrap().1, *next.bytes());
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
            let (_, first) = state.pop().unwrap();
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
