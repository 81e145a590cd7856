//! One client: requests come from its stream, and replies go to it.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use morgana_exec::yield_now;
use morgana_hal::StreamError;
use morgana_xenstore_store::{ConnectionId, Contention};
use morgana_xenstore_wire::{BadStream, Packet};

use crate::inbox::Inbox;
use crate::line::Line;
use crate::outbox::Outbox;
use crate::rate::Credit;
use crate::server::Server;
use crate::{Fault, Rings};

/// Requests of one client that are handled before others have their turn.
const TURN: usize = 8;

/// Replies that may wait for any client.
const MOST_REPLIES: usize = 1024;

/// Why a client is not served any longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Stream(StreamError),
    Packets(BadStream),
}

impl End {
    /// What the domain is told.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Stream(StreamError::Closed) => Fault::Communication,
            Self::Stream(StreamError::BadIndices) => Fault::RingIndex,
            Self::Packets(_) => Fault::Protocol,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Packets(error) => error.fmt(f),
        }
    }
}

/// A client, as its task knows it.
pub(crate) struct Session<R: Rings> {
    pub(crate) server: Server<R>,
    pub(crate) connection: ConnectionId,
    pub(crate) inbox: Rc<Inbox>,
    pub(crate) outbox: Rc<Outbox>,
    /// What it may write; `None` for the control domain's programs.
    pub(crate) credit: Option<RefCell<Credit>>,
}

impl<R: Rings> Session<R> {
    /// Serves the client until it breaks the protocol.
    pub(crate) async fn serve<L: Line>(&self, line: &L) -> End {
        let mut reading = pin!(self.read(line));
        let mut writing = pin!(self.outbox.send(line, |begun| line.begin(self, begun)));
        poll_fn(|cx| {
            // Both look again now: a reply must not bring this task another turn in which there is nothing to do.
            self.outbox.forget_waiting();
            let read = reading.as_mut().poll(cx);
            // In this order: see `slot`.
            line.keep(self);
            self.server.commit();
            if line.release() {
                // Another turn: reading waits for a notification that may not come.
                cx.waker().wake_by_ref();
            }
            match read {
                Poll::Pending => writing.as_mut().poll(cx).map(End::Stream),
                end => end,
            }
        })
        .await
    }

    async fn read<L: Line>(&self, line: &L) -> End {
        let inbox = &self.inbox;
        let mut handled = 0;
        loop {
            while inbox.has_next() {
                self.room::<L>().await;
                match inbox.next(|packet| self.handle::<L>(packet)) {
                    Ok(Some(contention)) => self.pay(contention).await,
                    Ok(None) => break,
                    Err(error) => return End::Packets(error),
                }
                handled += 1;
                if handled % TURN == 0 {
                    yield_now().await;
                }
            }
            if let Err(error) = poll_fn(|cx| inbox.poll_read(line, cx)).await {
                return End::Stream(error);
            }
        }
    }

    fn handle<L: Line>(&self, packet: Packet<'_>) -> Contention {
        let replied = self.outbox.replied();
        let contention = self.server.handle(self.connection, packet);
        if L::KEEPS_UNANSWERED && self.outbox.replied() == replied {
            let mut request = Vec::from(packet.header.to_bytes());
            request.extend_from_slice(packet.payload);
            let id = packet.header.request;
            self.outbox.leave_unanswered(id, request);
        }
        contention
    }

    /// Waits as long as too many of its replies wait to be taken; then until half of them are.
    async fn room<L: Line>(&self) {
        let waiting = self.outbox.replies();
        if waiting >= MOST_REPLIES || !self.server.may_ask(self.connection, waiting) {
            self.outbox.replies_at_most(waiting / 2).await;
        }
        self.outbox.reply_bytes_at_most(L::MOST_WAITING).await;
    }

    /// Makes a client wait that writes much while it can be in others' way.
    async fn pay(&self, contention: Contention) {
        let Some(credit) = &self.credit else {
            return;
        };
        if contention == Contention::None {
            return;
        }
        let timers = self.server.timers();
        let wait = credit.borrow_mut().pay(timers.now());
        if let Some(wait) = wait {
            self.server.slowed(self.connection);
            timers.sleep(wait).await;
        }
    }
}
