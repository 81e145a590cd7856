//! One client: its ring, from which requests come and to which replies go.

use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;

use morgana_exec::{Either, select};
use morgana_hal::{ByteStream, StreamError};
use morgana_xenstore_store::ConnectionId;
use morgana_xenstore_wire::{BadStream, Decoder};

use crate::outbox::{Outbox, Overrun};
use crate::server::Server;
use crate::{Fault, Rings};

/// Why a client is not served any longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Stream(StreamError),
    Packets(BadStream),
    Overrun,
}

impl End {
    /// What the domain is told.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Stream(StreamError::Closed) | Self::Overrun => Fault::Communication,
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
            Self::Overrun => f.write_str("it leaves too many watch events unread"),
        }
    }
}

/// Serves a client until it breaks the protocol.
pub(crate) async fn serve<R: Rings, S: ByteStream>(
    server: Server<R>,
    connection: ConnectionId,
    stream: &S,
    outbox: Rc<Outbox>,
) -> End {
    let reading = read(&server, connection, stream, &outbox);
    match select(reading, write(stream, &outbox)).await {
        Either::First(end) | Either::Second(end) => end,
    }
}

async fn read<R: Rings, S: ByteStream>(
    server: &Server<R>,
    connection: ConnectionId,
    stream: &S,
    outbox: &Outbox,
) -> End {
    let mut decoder = Decoder::new();
    loop {
        loop {
            match decoder.next() {
                Ok(None) => break,
                Ok(Some(packet)) => {
                    outbox.room().await;
                    server.handle(connection, packet);
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

async fn write<S: ByteStream>(stream: &S, outbox: &Outbox) -> End {
    loop {
        let packet = match outbox.next().await {
            Ok(packet) => packet,
            Err(Overrun) => return End::Overrun,
        };
        let mut rest = &packet[..];
        while !rest.is_empty() {
            match poll_fn(|cx| stream.poll_write(cx, rest)).await {
                Ok(len) => rest = &rest[len..],
                Err(error) => return End::Stream(error),
            }
        }
    }
}
