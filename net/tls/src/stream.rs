//! A secure stream over another one.

use core::fmt;

use embedded_io_async::{ErrorType, Read, Write};
use rustls::HandshakeKind;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;

use crate::{Engine, Side, TlsError, Want};

/// A server's end.
pub type ServerStream<S> = TlsStream<S, UnbufferedServerConnection>;
/// A client's end.
pub type ClientStream<S> = TlsStream<S, UnbufferedClientConnection>;

/// Bytes that are read from a peer that was sent an alert.
const LINGER_BYTES: usize = 32 * 1024;

/// A secure stream: what is written is encrypted, and what is read has come from the peer as it was sent.
///
/// A read returns 0 only if the peer has said that it ends; a stream below that ends without that word is [`TlsError::Truncated`]. A future of
/// [`read`](Read::read) may be dropped. A dropped [`write`](Write::write) may have taken its bytes: then they are sent with what is written or flushed next.
/// Who is done calls [`close`](Self::close).
pub struct TlsStream<S, C> {
    io: S,
    engine: Engine<C>,
}

impl<S: Read + Write, C: Side> TlsStream<S, C> {
    pub(crate) fn new(io: S, connection: C) -> Self {
        let engine = Engine::new(connection);
        Self { io, engine }
    }

    /// The stream below.
    pub fn io(&self) -> &S {
        &self.io
    }

    /// The protocol that both have agreed on by ALPN, if they have.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.engine.protocol()
    }

    pub(crate) fn handshake_kind(&self) -> Option<HandshakeKind> {
        self.engine.kind()
    }

    /// Says that nothing more comes from here, and sends what is left. The peer may go on.
    ///
    /// # Errors
    ///
    /// [`TlsError::Io`] if that can't be sent.
    pub async fn close(&mut self) -> Result<(), TlsError<S::Error>> {
        self.engine.close();
        self.send().await
    }

    /// Goes through the handshake.
    pub(crate) async fn shake_hands(&mut self) -> Result<(), TlsError<S::Error>> {
        // A client speaks first.
        self.engine.step();
        while !self.engine.established() {
            self.send().await?;
            self.advance().await?;
        }
        self.send().await
    }

    /// Reads what still comes and drops it, until `LINGER_BYTES` of it have come: a TCP connection that is closed with bytes unread is reset, and the alert
    /// with it.
    pub(crate) async fn linger(&mut self) {
        let (mut left, mut piece) = (LINGER_BYTES, [0; 256]);
        while left > 0 {
            match self.io.read(&mut piece).await {
                Ok(count @ 1..) => left = left.saturating_sub(count),
                _ => return,
            }
        }
    }

    /// Waits for bytes from the peer, and does what they ask for.
    async fn advance(&mut self) -> Result<(), TlsError<S::Error>> {
        match self.engine.wants() {
            Want::Bytes(_) => {}
            Want::TooMuch => return Err(TlsError::TooMuch),
            Want::Nothing => return self.check(),
        }
        match self
            .io
            .read(self.engine.room())
            .await
            .map_err(TlsError::Io)?
        {
            0 => return Err(TlsError::Truncated),
            count => self.engine.received(count),
        }
        if self.engine.failure().is_some() {
            // The alert; whether it arrives makes no difference any more.
            drop(self.send().await);
        }
        self.check()
    }

    fn check(&self) -> Result<(), TlsError<S::Error>> {
        match self.engine.failure() {
            Some(error) => Err(TlsError::Protocol(error.clone())),
            None if self.engine.finished() && !self.engine.established() => {
                Err(TlsError::Truncated)
            }
            None => Ok(()),
        }
    }

    /// Sends what waits. A dropped future has sent what it has said so of.
    async fn send(&mut self) -> Result<(), TlsError<S::Error>> {
        if self.engine.to_send().is_empty() {
            return Ok(());
        }
        while !self.engine.to_send().is_empty() {
            let count = self.io.write(self.engine.to_send()).await;
            match count.map_err(TlsError::Io)? {
                0 => return Err(TlsError::Truncated),
                count => self.engine.sent(count),
            }
        }
        self.io.flush().await.map_err(TlsError::Io)
    }
}

impl<S: Read + Write, C: Side> ErrorType for TlsStream<S, C> {
    type Error = TlsError<S::Error>;
}

impl<S: Read + Write, C: Side> Read for TlsStream<S, C> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Self::Error> {
        if into.is_empty() {
            return Ok(0);
        }
        while self.engine.plaintext().is_empty() {
            self.check()?;
            if self.engine.finished() {
                return Ok(0);
            }
            // What answers the peer, as a key update asks for.
            self.send().await?;
            self.advance().await?;
        }
        let bytes = self.engine.plaintext();
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        self.engine.taken(count);
        Ok(count)
    }
}

impl<S: Read + Write, C: Side> Write for TlsStream<S, C> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.send().await?;
        let count = self.engine.encrypt(bytes);
        self.check()?;
        if count == 0 {
            return Err(TlsError::Closed);
        }
        self.send().await?;
        Ok(count)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.send().await?;
        self.io.flush().await.map_err(TlsError::Io)
    }
}

impl<S, C> fmt::Debug for TlsStream<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt(f)
    }
}
