//! What all handles of one connection share: requests under way, watches, and the bytes to send.
//!
//! A call goes through these states:
//!
//! ```text
//!             enqueue              reply
//! (waiting) ──────────► Waiting ──────────► Answered ──► taken by its future
//!  for room                │ future dropped
//!                          ▼         reply
//!                      Abandoned ──────────► forgotten
//! ```

use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};

use morgana_exec::{SmallMap, Timers, Waiters};
use morgana_xenstore_wire::{
    Commit, Errno, Operation, Packet, Request, RequestId, TransactionId, WatchEvent, parse_number,
};

use crate::watch::Events;
use crate::{Breach, Closed, Config, Error, MAX_IN_FLIGHT, MAX_TRANSACTIONS};

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) state: RefCell<State>,
    pub(crate) timers: Timers,
    pub(crate) config: Config,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Packets for the driver to send.
    pub(crate) outgoing: Vec<u8>,
    calls: SmallMap<RequestId, Call>,
    last_request: u32,
    /// Calls without an answer.
    unanswered: usize,
    /// Transactions begun and not known to have ended.
    transactions: usize,
    /// By token.
    pub(crate) watches: SmallMap<u32, Events>,
    pub(crate) last_token: u32,
    pub(crate) closed: Option<Closed>,
    /// The driver, while it has nothing to send.
    pub(crate) driver: Waiters,
    /// Who waits to begin a call.
    room: Waiters,
}

#[derive(Debug)]
struct Call {
    operation: Operation,
    transaction: TransactionId,
    /// The token, for `Watch` and `Unwatch`.
    token: Option<u32>,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Waiting(Option<Waker>),
    Abandoned,
    Answered(Result<Vec<u8>, Error>),
}

impl Connection {
    pub(crate) fn new(timers: Timers, config: Config) -> Self {
        Self {
            state: RefCell::default(),
            timers,
            config,
        }
    }

    /// Ends the connection, if it has not ended yet, and tells everyone who waits.
    pub(crate) fn close(&self, why: Closed) {
        self.state.borrow_mut().close(why);
    }

    /// Closes the connection over an answer that makes no sense.
    pub(crate) fn malformed(&self) -> Error {
        let why = Closed::Protocol(Breach::MalformedReply);
        self.close(why);
        Error::Closed(why)
    }
}

impl State {
    pub(crate) fn close(&mut self, why: Closed) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(why);
        self.outgoing = Vec::new();
        for call in self.calls.values_mut() {
            if let Progress::Waiting(waker) = &mut call.progress {
                let waker = waker.take();
                call.progress = Progress::Answered(Err(Error::Closed(why)));
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
        self.calls
            .retain(|_, call| !matches!(call.progress, Progress::Abandoned));
        for events in self.watches.values_mut() {
            events.waiters.wake_all();
        }
        self.driver.wake_all();
        self.room.wake_all();
    }

    /// Puts a request among those to send, once it is its turn.
    pub(crate) fn poll_enqueue(
        &mut self,
        cx: &mut Context<'_>,
        request: &Request<'_>,
        transaction: TransactionId,
        token: Option<u32>,
    ) -> Poll<Result<RequestId, Error>> {
        let starts = matches!(request, Request::TransactionStart);
        let full =
            self.unanswered >= MAX_IN_FLIGHT || (starts && self.transactions >= MAX_TRANSACTIONS);
        if self.closed.is_none() && full {
            self.room.register(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(self.enqueue(request, transaction, token))
    }

    /// Puts a request among those to send.
    pub(crate) fn enqueue(
        &mut self,
        request: &Request<'_>,
        transaction: TransactionId,
        token: Option<u32>,
    ) -> Result<RequestId, Error> {
        if let Some(why) = self.closed {
            return Err(Error::Closed(why));
        }
        let id = self.unused_id();
        request.encode(id, transaction, &mut self.outgoing)?;
        let operation = request.operation();
        self.calls.insert(
            id,
            Call {
                operation,
                transaction,
                token,
                progress: Progress::Waiting(None),
            },
        );
        self.unanswered += 1;
        if operation == Operation::TransactionStart {
            self.transactions += 1;
        }
        self.driver.wake_all();
        Ok(id)
    }

    /// Sends a request whose answer nobody waits for. After the connection has ended there is nothing left to clean up.
    pub(crate) fn enqueue_cleanup(
        &mut self,
        request: &Request<'_>,
        transaction: TransactionId,
        token: Option<u32>,
    ) {
        if let Ok(id) = self.enqueue(request, transaction, token) {
            self.abandon(id);
        }
    }

    /// An id that no call has. 0 is what watch events have, and is left out.
    fn unused_id(&mut self) -> RequestId {
        loop {
            self.last_request = self.last_request.wrapping_add(1);
            let id = RequestId(self.last_request);
            // Ends: the calls are far fewer than the ids.
            if id.0 != 0 && !self.calls.contains_key(&id) {
                return id;
            }
        }
    }

    /// The call's result, once it is there.
    pub(crate) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        id: RequestId,
    ) -> Poll<Result<Vec<u8>, Error>> {
        match self.calls.remove(&id) {
            Some(Call {
                progress: Progress::Answered(result),
                ..
            }) => Poll::Ready(result),
            Some(mut call) => {
                call.progress = Progress::Waiting(Some(cx.waker().clone()));
                self.calls.insert(id, call);
                Poll::Pending
            }
            // Only its own future takes a call out, and that is over then.
            None => Poll::Ready(Err(Error::Closed(self.closed.unwrap_or(Closed::Dropped)))),
        }
    }

    /// The call's future is gone. Its answer, if one is still to come, is swallowed.
    pub(crate) fn abandon(&mut self, id: RequestId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if let Progress::Answered(result) = &call.progress {
            let begun = match (call.operation, result) {
                (Operation::TransactionStart, Ok(payload)) => transaction_id(payload),
                _ => None,
            };
            self.calls.remove(&id);
            if let Some(begun) = begun {
                self.abort(begun);
            }
        } else {
            call.progress = Progress::Abandoned;
        }
    }

    /// Aborts a transaction that nobody knows (any more).
    pub(crate) fn abort(&mut self, transaction: TransactionId) {
        let request = Request::TransactionEnd { commit: Commit::No };
        self.enqueue_cleanup(&request, transaction, None);
    }

    /// Deals with what the server has sent.
    pub(crate) fn dispatch(&mut self, packet: Packet<'_>) -> Result<(), Breach> {
        let operation = packet.header.operation();
        if operation == Some(Operation::WatchEvent) {
            return self.event(packet.payload);
        }
        let id = packet.header.request;
        let call = self.calls.get_mut(&id).ok_or(Breach::UnknownRequest)?;
        if matches!(call.progress, Progress::Answered(_)) {
            return Err(Breach::UnknownRequest);
        }
        if packet.header.transaction != call.transaction {
            return Err(Breach::WrongTransaction);
        }
        let result = match operation {
            Some(Operation::Error) => Err(refusal(packet.payload)?),
            Some(operation) if operation == call.operation => Ok(packet.payload.to_vec()),
            _ => return Err(Breach::WrongOperation),
        };
        if call.operation == Operation::TransactionStart
            && result.is_ok()
            && transaction_id(packet.payload).is_none()
        {
            return Err(Breach::MalformedReply);
        }
        let (operation, token) = (call.operation, call.token);
        match core::mem::replace(&mut call.progress, Progress::Answered(result)) {
            Progress::Waiting(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            // Forgotten, with what the answer gave us.
            Progress::Abandoned | Progress::Answered(_) => self.abandon(id),
        }
        let refused = packet.header.operation() == Some(Operation::Error);
        match (operation, token) {
            (Operation::TransactionEnd, _) => {
                self.transactions = self.transactions.saturating_sub(1)
            }
            (Operation::TransactionStart, _) if refused => {
                self.transactions = self.transactions.saturating_sub(1);
            }
            (Operation::Unwatch, Some(token)) => drop(self.watches.remove(&token)),
            (Operation::Watch, Some(token)) if refused => drop(self.watches.remove(&token)),
            _ => {}
        }
        self.unanswered = self.unanswered.saturating_sub(1);
        self.room.wake_all();
        Ok(())
    }

    fn event(&mut self, payload: &[u8]) -> Result<(), Breach> {
        let event = WatchEvent::parse(payload).map_err(|_| Breach::MalformedEvent)?;
        // A token that is not known (any more): the watch was dropped while the event was on its way.
        if let Ok(token) = event.token.parse()
            && let Some(events) = self.watches.get_mut(&token)
        {
            events.put(event.path).map_err(|_| Breach::MalformedEvent)?;
        }
        Ok(())
    }
}

/// Reads the payload of an `Error`.
fn refusal(payload: &[u8]) -> Result<Error, Breach> {
    let Some((0, name)) = payload.split_last() else {
        return Err(Breach::MalformedReply);
    };
    Ok(Errno::from_name(name).map_or(Error::RefusedUnknown, Error::Refused))
}

/// Reads the payload of the answer to `TransactionStart`. 0 would mean "no transaction", with requests that take effect one by one.
pub(crate) fn transaction_id(payload: &[u8]) -> Option<TransactionId> {
    let id = parse_number(payload).ok().filter(|&id| id != 0)?;
    Some(TransactionId(id))
}
