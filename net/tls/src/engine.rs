//! A connection without a stream: bytes in, bytes out.

use alloc::vec::Vec;
use core::fmt;

use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
};
use rustls::{Error, HandshakeKind};

use crate::Side;
use crate::limits::{HEADER, HELD, OVERHEAD, PLAINTEXT, RECORD};

/// A connection's state, and the bytes on their way. Who uses it moves them:
///
/// ```text
/// stream ──► incoming ──► step ──► plaintext ──► application
/// stream ◄── outgoing ◄── step, encrypt ◄──────── application
/// ```
///
/// Each of the three buffers is there only while something is in it.
pub struct Engine<C> {
    connection: C,
    /// What has come and is not used up: less than a record, and what is there of a message that takes several.
    incoming: Vec<u8>,
    /// How many of them have come: behind them is room for those that are wanted.
    filled: usize,
    /// What has to be sent: an alert, a part of the handshake, a record.
    outgoing: Buffer,
    /// What the peer says: at most what one call of `receive` has brought.
    plaintext: Buffer,
    peer: Peer,
    failure: Option<Error>,
    established: bool,
    closed: bool,
}

/// Whether the peer will say more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Speaks,
    /// It has said that it ends.
    Finished,
}

/// What has to be done before anything else can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// As many bytes from the peer, to go on with its record.
    Bytes(usize),
    /// Nothing: the peer has said that it ends, or the connection has failed.
    Nothing,
    /// More of the handshake has come than is kept.
    TooMuch,
}

impl<C: Side> Engine<C> {
    /// A new connection.
    pub fn new(connection: C) -> Self {
        Self {
            connection,
            incoming: Vec::new(),
            filled: 0,
            outgoing: Buffer::default(),
            plaintext: Buffer::default(),
            peer: Peer::Speaks,
            failure: None,
            established: false,
            closed: false,
        }
    }

    /// Whether the handshake is over.
    pub fn established(&self) -> bool {
        self.established
    }

    /// The protocol agreed on by ALPN.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.connection.protocol()
    }

    /// Whether the handshake went on with an earlier session; `None` before its end.
    pub fn kind(&self) -> Option<HandshakeKind> {
        self.connection.kind()
    }

    /// Why it has failed, if it has. What is to be sent may hold an alert that says so.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Whether the peer has said that it ends.
    pub fn finished(&self) -> bool {
        self.peer == Peer::Finished
    }

    /// How many bytes are to be had from the peer now: never more than its record has.
    pub fn wants(&self) -> Want {
        if self.failure.is_some() || self.peer == Peer::Finished {
            return Want::Nothing;
        }
        let mut at = 0;
        // Whole records that wait for the rest of a message, then the one that is not whole.
        while let Some(length) = self.record(at) {
            let end = at + HEADER + length;
            if end > self.filled {
                return match end > HELD {
                    true => Want::TooMuch,
                    false => Want::Bytes(end - self.filled),
                };
            }
            at = end;
        }
        Want::Bytes(at + HEADER - self.filled)
    }

    /// The length that the record says that begins at `at`, if its header is there. One that no record can have counts as none: rustls has refused it.
    fn record(&self, at: usize) -> Option<usize> {
        let header = self.incoming[..self.filled].get(at..at + HEADER)?;
        Some(usize::from(u16::from_be_bytes([header[3], header[4]])).min(RECORD))
    }

    /// Room for the bytes that are [wanted](Self::wants); none if none are.
    pub fn room(&mut self) -> &mut [u8] {
        let count = match self.wants() {
            Want::Bytes(count) => count,
            Want::Nothing | Want::TooMuch => 0,
        };
        self.incoming.resize(self.filled + count, 0);
        &mut self.incoming[self.filled..]
    }

    /// So many bytes are in the [room](Self::room): does what they ask for. Where that fails, [`failure`](Self::failure) says so.
    pub fn received(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.incoming.len());
        // A header alone shows whether this is TLS at all.
        self.step();
    }

    /// Goes on as far as the bytes lead that are there.
    pub fn step(&mut self) {
        self.run(|_, _| ());
    }

    /// Encrypts bytes, as many as go into a record, and returns how many. None before the handshake's end, and after this end was closed.
    pub fn encrypt(&mut self, bytes: &[u8]) -> usize {
        if self.closed {
            return 0;
        }
        let bytes = &bytes[..bytes.len().min(PLAINTEXT)];
        let mut taken = 0;
        self.run(|traffic, out| {
            if taken > 0 || bytes.is_empty() {
                return;
            }
            let room = bytes.len() + OVERHEAD;
            let done = out.append(room, |into| match traffic.encrypt(bytes, into) {
                Ok(count) => Ok(count),
                Err(EncryptError::InsufficientSize(size)) => Err(Some(size)),
                Err(EncryptError::EncryptExhausted) => Err(None),
            });
            if done {
                taken = bytes.len();
            }
        });
        taken
    }

    /// Says to the peer that this end says no more.
    pub fn close(&mut self) {
        if self.closed {
            return;
        }
        self.run(|traffic, out| {
            out.append(OVERHEAD, |into| match traffic.queue_close_notify(into) {
                Ok(count) => Ok(count),
                Err(EncryptError::InsufficientSize(size)) => Err(Some(size)),
                Err(EncryptError::EncryptExhausted) => Err(None),
            });
        });
        self.closed = true;
    }

    /// What has to be sent.
    pub fn to_send(&self) -> &[u8] {
        self.outgoing.bytes()
    }

    /// So many bytes of it are sent.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.take(count);
    }

    /// What the peer says.
    pub fn plaintext(&self) -> &[u8] {
        self.plaintext.bytes()
    }

    /// So many bytes of it are taken.
    pub fn taken(&mut self, count: usize) {
        self.plaintext.take(count);
    }

    /// Takes steps until bytes are wanted; where application data can be sent, `traffic` is called once, last.
    fn run(
        &mut self,
        traffic: impl FnOnce(&mut rustls::unbuffered::WriteTraffic<'_, C::Data>, &mut Buffer),
    ) {
        if self.failure.is_some() {
            return;
        }
        loop {
            let status = self.connection.step(&mut self.incoming[..self.filled]);
            let mut discard = status.discard;
            let mut goes_on = true;
            match status.state {
                Ok(ConnectionState::ReadTraffic(mut read)) => {
                    while let Some(Ok(record)) = read.next_record() {
                        discard += record.discard;
                        self.plaintext.extend(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, &mut self.outgoing),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    goes_on = self.peer == Peer::Speaks;
                    self.peer = Peer::Finished;
                }
                Ok(ConnectionState::WriteTraffic(mut write)) => {
                    self.established = true;
                    traffic(&mut write, &mut self.outgoing);
                    self.discard(discard);
                    return;
                }
                // Blocked; early data is not offered.
                Ok(_) => goes_on = false,
                Err(error) => {
                    self.failure = Some(error);
                    goes_on = false;
                }
            }
            self.discard(discard);
            if !goes_on {
                break;
            }
        }
        if self.failure.is_some() {
            self.alert();
        }
    }

    /// Takes what is left to be said after a failure, and no step beyond: what has come is not looked at any more.
    fn alert(&mut self) {
        while self.connection.has_more_to_say() {
            let Ok(ConnectionState::EncodeTlsData(data)) = self
                .connection
                .step(&mut self.incoming[..self.filled])
                .state
            else {
                return;
            };
            encode(data, &mut self.outgoing);
        }
    }

    fn discard(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.incoming.truncate(self.filled);
        self.incoming.drain(..count.min(self.filled));
        self.filled = self.incoming.len();
        if self.filled == 0 {
            self.incoming = Vec::new();
        }
    }
}

/// Puts a part of the handshake, or an alert, to what is to be sent.
fn encode<Data>(mut data: EncodeTlsData<'_, Data>, out: &mut Buffer) {
    out.append(OVERHEAD, |into| match data.encode(into) {
        Ok(count) => Ok(count),
        Err(EncodeError::InsufficientSize(size)) => Err(Some(size)),
        Err(EncodeError::AlreadyEncoded) => Err(None),
    });
}

/// Bytes that come at the end and go at the beginning. It takes no memory while it is empty.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
        if self.start == self.bytes.len() {
            *self = Self::default();
        }
    }

    /// Has something written at the end: into `room` bytes, or as many as it says that it needs. Returns whether it was.
    fn append(
        &mut self,
        room: usize,
        mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
    ) -> bool {
        let end = self.bytes.len();
        let mut room = room;
        // The second time it knows how much it needs.
        for _ in 0..2 {
            self.bytes.resize(end + room, 0);
            match write(&mut self.bytes[end..]) {
                Ok(count) => {
                    self.bytes.truncate(end + count);
                    return true;
                }
                Err(Some(InsufficientSizeError { required_size })) => room = required_size,
                Err(None) => break,
            }
        }
        self.bytes.truncate(end);
        false
    }
}

impl<C> fmt::Debug for Engine<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("established", &self.established)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
