//! What the store wants to be sent.

use alloc::vec::Vec;

use morgana_xenstore_wire::{
    Errno, HEADER_LEN, Header, Operation, TransactionId, WatchEvent, encode,
};

use crate::ConnectionId;

/// One packet to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// To whom.
    pub to: ConnectionId,
    /// Why.
    pub kind: PacketKind,
    /// The packet, header and all.
    pub bytes: Vec<u8>,
}

/// What made the store send a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PacketKind {
    /// The client asked. Clients wait for as many of them as they have sent requests.
    Reply,
    /// Something that it watches has changed. Where the same event waits to be sent already, a second one tells nothing new.
    Event,
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
        kind: PacketKind::Reply,
        bytes,
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

/// An event; `None` for one too long for a packet, which no watch that was accepted can bring about.
pub(crate) fn event(to: ConnectionId, path: &str, token: &str) -> Option<Outgoing> {
    let mut bytes = Vec::with_capacity(HEADER_LEN + path.len() + token.len() + 2);
    let code = Operation::WatchEvent.code();
    let request = morgana_xenstore_wire::RequestId(0);
    encode(code, request, TransactionId::NONE, &mut bytes, |out| {
        WatchEvent { path, token }.emit(out);
    })
    .ok()?;
    Some(Outgoing {
        to,
        kind: PacketKind::Event,
        bytes,
    })
}
