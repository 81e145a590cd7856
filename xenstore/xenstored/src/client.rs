//! One client: requests come from its stream, and replies go to it.

use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use morgana_exec::yield_now;
use morgana_hal::{ByteStream, StreamError};
use morgana_xenstore_store::{ConnectionId, Contention};
use morgana_xenstore_wire::{BadStream, Decoder};

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
    pub(crate) outbox: Rc<Outbox>,
    /// What it may write; `None` for the control domain's programs.
    pub(crate) credit: Option<Credit>,
}

impl<R: Rings> Session<R> {
    /// Serves the client until it breaks the protocol.
    pub(crate) async fn serve<S: ByteStream>(&mut self, stream: &S) -> End {
        let outbox = self.outbox.clone();
        let mut reading = pin!(self.read(stream));
        let mut writing = pin!(write(stream, &outbox));
        poll_fn(|cx| {
            // Both look again now: a reply must not bring this task another turn in which there is nothing to do.
            outbox.forget_waiting();
            match reading.as_mut().poll(cx) {
                Poll::Pending => writing.as_mut().poll(cx),
                end => end,
            }
        })
        .await
    }

    async fn read<S: ByteStream>(&mut self, stream: &S) -> End {
        let mut decoder = Decoder::new();
        let mut handled = 0;
        loop {
            loop {
                match decoder.next() {
                    Ok(None) => break,
                    Ok(Some(packet)) => {
                        self.room().await;
                        let contention = self.server.handle(self.connection, packet);
                        self.pay(contention).await;
                        handled += 1;
                        if handled % TURN == 0 {
                            yield_now().await;
                        }
                    }
                    Err(error) => return End::Packets(error),
                }
            }
            let space = decoder.space();
            match poll_fn(|cx| stream.poll_read(cx, space)).await {
                Ok(len) => decoder.filled(len),
                Err(error) => return End::Stream(error),
            }
        }
    }

    /// Waits as long as too many of its replies wait to be taken; then until half of them are.
    async fn room(&self) {
        let waiting = self.outbox.replies();
        if waiting >= MOST_REPLIES || !self.server.may_ask(self.connection, waiting) {
            self.outbox.replies_at_most(waiting / 2).await;
        }
    }

    /// Makes a client wait that writes much while it can be in others' way.
    async fn pay(&mut self, contention: Contention) {
        let Some(credit) = &mut self.credit else {
            return;
        };
        if contention == Contention::None {
            return;
        }
        let timers = self.server.timers();
        if let Some(wait) = credit.pay(timers.now()) {
            self.server.slowed(self.connection);
            timers.sleep(wait).await;
        }
    }
}

async fn write<S: ByteStream>(stream: &S, outbox: &Outbox) -> End {
    loop {
        let packet = outbox.next().await;
        let mut rest = &packet[..];
        while !rest.is_empty() {
            match poll_fn(|cx| stream.poll_write(cx, rest)).await {
                Ok(len) => rest = &rest[len..],
                Err(error) => return End::Stream(error),
            }
        }
    }
}
