//! What the store wants to be sent.

use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use morgana_xenstore_wire::{
    Errno, HEADER_LEN, Header, Operation, PAYLOAD_MAX, RequestId, TransactionId, WatchEvent, encode,
};

use crate::ConnectionId;

/// One packet to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// To whom.
    pub to: ConnectionId,
    /// What.
    pub content: Content,
}

/// What a packet to a client is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// The client asked: the packet, header and all. Clients wait for as many of them as they have sent requests.
    Reply(Vec<u8>),
    /// Something that it watches has changed. Where the same event waits to be sent already, a second one tells nothing new.
    Event(Event),
}

/// An event that a client is to hear of. It becomes a packet when it is sent: until then it shares its texts with the watch and with other events of
/// the change, so that those of many watches take little memory.
#[derive(Clone, Debug)]
pub struct Event {
    path: Rc<str>,
    /// How much of the path the client did not write.
    prefix: usize,
    token: Rc<str>,
}

impl Content {
    /// The packet, header and all.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Reply(bytes) => bytes.into(),
            Self::Event(event) => event.encode().into(),
        }
    }

    /// The same, of one that is not needed any longer.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Reply(bytes) => bytes,
            Self::Event(event) => event.encode(),
        }
    }
}

impl Event {
    /// An event as its client hears of it; `None` if it is too long for a packet, which no watch that was accepted can bring about.
    pub fn new(path: &str, token: &str) -> Option<Self> {
        Self::shared(path.into(), 0, token.into())
    }

    pub(crate) fn shared(path: Rc<str>, prefix: usize, token: Rc<str>) -> Option<Self> {
        let heard = path.get(prefix..)?;
        let fits = heard.len() + token.len() + 2 <= PAYLOAD_MAX;
        fits.then_some(Self {
            path,
            prefix,
            token,
        })
    }

    /// Of what it is, as the client knows it.
    pub fn path(&self) -> &str {
        &self.path[self.prefix..]
    }

    /// What the client gave the watch, to know it by.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The length of its packet, in bytes.
    pub fn packet_len(&self) -> usize {
        HEADER_LEN + self.path().len() + self.token.len() + 2
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.packet_len());
        let (path, token) = (self.path(), self.token());
        let code = Operation::WatchEvent.code();
        let none = TransactionId::NONE;
        let encoded = encode(code, RequestId(0), none, &mut bytes, |out| {
            WatchEvent { path, token }.emit(out);
        });
        debug_assert!(encoded.is_ok(), "it was looked at when it was made");
        bytes
    }

    fn parts(&self) -> (&str, &str) {
        (self.path(), self.token())
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// A reply to the request with `header`. What would be too long for a packet becomes `E2BIG`.
pub(crate) fn reply(to: ConnectionId, header: &Header, result: Result<&[u8], Errno>) -> Outgoing {
    let len = result.map_or(0, <[u8]>::len);
    let mut bytes = Vec::with_capacity(HEADER_LEN + len);
    let fits = match result {
        Ok(payload) => put(&mut bytes, header.code, header, payload).is_ok(),
        Err(errno) => put_error(&mut bytes, header, errno),
    };
    if !fits {
        put_error(&mut bytes, header, Errno::TooBig);
    }
    Outgoing {
        to,
        content: Content::Reply(bytes),
    }
}

fn put_error(bytes: &mut Vec<u8>, header: &Header, errno: Errno) -> bool {
    let code = Operation::Error.code();
    let name = [errno.name().as_bytes(), b"\0"].concat();
    put(bytes, code, header, &name).is_ok()
}

fn put(
    bytes: &mut Vec<u8>,
    code: u32,
    header: &Header,
    payload: &[u8],
) -> Result<(), morgana_xenstore_wire::PayloadTooLong> {
    encode(code, header.request, header.transaction, bytes, |out| {
        out.extend_from_slice(payload);
    })
}
