//! What servers and clients have in common.

use rustls::HandshakeKind;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::UnbufferedStatus;

/// One end of a connection: a server's or a client's.
pub trait Side {
    /// What rustls keeps for it.
    type Data;

    /// Takes a step with the bytes that have come.
    fn step<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// The protocol that both have agreed on by ALPN, if they have.
    fn protocol(&self) -> Option<&[u8]>;

    /// Whether the handshake was a full one.
    fn kind(&self) -> Option<HandshakeKind>;

    /// Whether there are messages that [`step`](Self::step) would give out next.
    fn has_more_to_say(&self) -> bool;
}

impl Side for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn step<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn protocol(&self) -> Option<&[u8]> {
        self.alpn_protocol()
    }

    fn kind(&self) -> Option<HandshakeKind> {
        self.handshake_kind()
    }

    fn has_more_to_say(&self) -> bool {
        self.wants_write()
    }
}

impl Side for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn step<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn protocol(&self) -> Option<&[u8]> {
        self.alpn_protocol()
    }

    fn kind(&self) -> Option<HandshakeKind> {
        self.handshake_kind()
    }

    fn has_more_to_say(&self) -> bool {
        self.wants_write()
    }
}
