//! The two loops of a connection.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::future::poll_fn;

use morgana_exec::{Either, select, yield_now};
use morgana_hal::{ByteStream, StreamError};

use super::channel::{Refusal, State, from_byte};
use super::codec::Reader;
use super::error::{LinkError, Malformed};
use super::frame::{self, HEADER, HELLO, Kind};
use super::link::Shared;
use super::node::{Identity, Inner};
use super::protocol::MessageType;

/// Bytes that are written at once.
const PIECE: usize = 2048;
/// Frames that are handled before other tasks have their turn.
const FRAMES_A_TURN: u32 = 32;

/// Ends what depends on the connection, also if its future is dropped.
struct Ending(Rc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.fail(LinkError::Stream(StreamError::Closed));
        self.0.end();
    }
}

pub(crate) async fn run<S: ByteStream>(node: Rc<Inner>, link: Rc<Shared>, stream: S) -> LinkError {
    let ending = Ending(link.clone());
    let hello = frame::whole(
        Kind::Hello,
        frame::MAGIC,
        &[
            &frame::VERSION.to_le_bytes()[..],
            &node.identity.node.to_le_bytes(),
            &node.identity.incarnation.to_le_bytes(),
        ]
        .concat(),
    );
    {
        // Before what was asked for already.
        let mut out = link.out.borrow_mut();
        for byte in hello.iter().rev() {
            out.push_front(*byte);
        }
    }
    let error = match select(read(&node, &link, &stream), write(&link, &stream)).await {
        Either::First(Err(error)) | Either::Second(Err(error)) => error,
        Either::First(Ok(never)) | Either::Second(Ok(never)) => match never {},
    };
    link.fail(error);
    drop(ending);
    // The first reason counts.
    link.fault.get().unwrap_or(error)
}

async fn write<S: ByteStream>(
    link: &Shared,
    stream: &S,
) -> Result<core::convert::Infallible, LinkError> {
    let timers = link.tasks.timers();
    loop {
        let seen = link.moved.count();
        if let Some(error) = link.fault.get() {
            return Err(error);
        }
        let piece: Vec<u8> = link.out.borrow().iter().take(PIECE).copied().collect();
        if piece.is_empty() {
            if let Either::Second(()) =
                select(link.moved.after(seen), timers.sleep(link.limits.alive)).await
            {
                link.push(Kind::Alive, 0, &[]);
            }
            continue;
        }
        // A fault ends the wait for room, too.
        let failed = async {
            let mut seen = link.moved.count();
            while link.fault.get().is_none() {
                seen = link.moved.after(seen).await;
            }
        };
        match select(poll_fn(|cx| stream.poll_write(cx, &piece)), failed).await {
            Either::First(len) => {
                let len = len?.min(piece.len());
                link.out.borrow_mut().drain(..len);
                link.moved.notify();
            }
            Either::Second(()) => {}
        }
    }
}

async fn read<S: ByteStream>(
    node: &Inner,
    link: &Rc<Shared>,
    stream: &S,
) -> Result<core::convert::Infallible, LinkError> {
    let hello = next_frame(link, stream, HELLO).await?;
    let (peer, incarnation) = frame::read_hello(&hello)?;
    if peer == node.identity.node {
        return Err(LinkError::Itself);
    }
    link.peer.set(Some(Identity {
        node: peer,
        incarnation,
    }));
    let mut frames = 0u32;
    loop {
        let bytes = next_frame(link, stream, link.limits.frame).await?;
        handle(node, link, &bytes)?;
        frames = frames.wrapping_add(1);
        if frames.is_multiple_of(FRAMES_A_TURN) {
            yield_now().await;
        }
    }
}

/// A whole frame of at most `most` bytes, without its length.
async fn next_frame<S: ByteStream>(
    link: &Shared,
    stream: &S,
    most: usize,
) -> Result<Vec<u8>, LinkError> {
    let whole = async {
        let mut len = [0; 4];
        fill(stream, &mut len).await?;
        let len = usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX);
        if len > most {
            return Err(Malformed::FrameLength.into());
        }
        if len < HEADER {
            return Err(Malformed::Short.into());
        }
        let mut bytes = vec![0; len];
        fill(stream, &mut bytes).await?;
        Ok(bytes)
    };
    let timers = link.tasks.timers();
    let in_time = timers.timeout(link.limits.silence, whole).await;
    in_time.unwrap_or(Err(LinkError::Silent))
}

async fn fill<S: ByteStream>(stream: &S, buffer: &mut [u8]) -> Result<(), LinkError> {
    let mut filled = 0;
    while filled < buffer.len() {
        let len = poll_fn(|cx| stream.poll_read(cx, &mut buffer[filled..])).await?;
        if len == 0 {
            return Err(StreamError::Closed.into());
        }
        filled += len;
    }
    Ok(())
}

fn handle(node: &Inner, link: &Rc<Shared>, bytes: &[u8]) -> Result<(), LinkError> {
    let Some((&[kind, a, b, c, d], rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Err(Malformed::Short.into());
    };
    let id = u32::from_le_bytes([a, b, c, d]);
    let reader = Reader::new(rest, link);
    match Kind::of(kind)? {
        Kind::Hello => return Err(Malformed::Kind(kind).into()),
        Kind::Open => open(node, link, id, rest)?,
        Kind::Message => {
            let take = link
                .incoming
                .borrow()
                .get(&id)
                .map(|channel| channel.take.clone());
            // One whose actor has ended is gone: the peer will hear of it.
            if let Some(take) = take {
                take(reader)?;
            }
        }
        Kind::Close => {
            let channel = link.incoming.borrow_mut().remove(&id);
            drop(channel);
        }
        Kind::Answer => link.answered(id, Some(reader))?,
        Kind::NoAnswer => link.answered(id, None)?,
        Kind::Opened => {
            let credit = reader.read::<u32>()?;
            change(link, id, State::Opening, State::Open, credit)?;
        }
        Kind::Refused => {
            let refusal = Refusal::read(rest)?;
            change(link, id, State::Opening, State::Refused(refusal), 0)?;
        }
        Kind::Credit => {
            let credit = reader.read::<u32>()?;
            change(link, id, State::Open, State::Open, credit)?;
        }
        Kind::Ended => {
            let ended = from_byte(reader.read::<u8>()?)?;
            change(link, id, State::Open, State::Ended(ended), 0)?;
            let channel = link.outgoing.borrow_mut().remove(&id);
            if let Some(channel) = channel {
                (channel.close)(ended);
            }
        }
        Kind::Alive => {}
    }
    Ok(())
}

fn open(node: &Inner, link: &Rc<Shared>, id: u32, rest: &[u8]) -> Result<(), LinkError> {
    if link.incoming.borrow().contains_key(&id) {
        return Err(Malformed::Channel(id).into());
    }
    let (messages, name) = MessageType::take(rest)?;
    let name = core::str::from_utf8(name).map_err(|_| Malformed::Text)?;
    let place = node.place();
    let room = link.incoming.borrow().len() < link.limits.channels;
    let Some(place) = place.filter(|_| room) else {
        link.refuse(id, Refusal::TooMany);
        return Ok(());
    };
    let channel = match node.find(name, messages) {
        Ok(open) => open(link, id, place)?.ok_or(Refusal::Unknown),
        Err(refusal) => Err(refusal),
    };
    match channel {
        Ok(channel) => {
            link.incoming.borrow_mut().insert(id, channel);
            link.push(Kind::Opened, id, &link.limits.window.to_le_bytes());
        }
        Err(refusal) => link.refuse(id, refusal),
    }
    Ok(())
}

/// Changes the state of a channel that this node has opened. One that it has closed meanwhile is gone.
fn change(link: &Shared, id: u32, from: State, to: State, credit: u32) -> Result<(), Malformed> {
    let Some(channel) = link.outgoing.borrow().get(&id).cloned() else {
        return Ok(());
    };
    if channel.state.get() != from {
        return Err(Malformed::Channel(id));
    }
    channel.state.set(to);
    channel
        .credit
        .set(channel.credit.get().saturating_add(credit));
    channel.changed.notify();
    Ok(())
}
