//! Channels: the way from one node to one actor of another one.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use morgana_exec::{Either, Handle, Notify, TrySendError, channel, select};

use super::codec::{Reader, Wire};
use super::error::{LinkError, Malformed};
use super::frame::Kind;
use super::link::Shared;
use super::protocol::MessageType;
use crate::local::actor::Ended;
use crate::{Failure, WeakAddress};

/// How far the opener's end of a channel is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Opening,
    Open,
    Refused(Refusal),
    Ended(Ended),
}

/// Why a channel is not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// There is no actor of that name.
    Unknown,
    /// There are as many channels as there may be.
    TooMany,
    /// The actor's messages are of this type.
    Type(MessageType),
}

impl Refusal {
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Unknown => [0].into(),
            Self::TooMany => [1].into(),
            Self::Type(own) => [&[2][..], &own.bytes()].concat(),
        }
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (&reason, rest) = bytes.split_first().ok_or(Malformed::Short)?;
        let (refusal, rest) = match reason {
            0 => (Self::Unknown, rest),
            1 => (Self::TooMany, rest),
            2 => {
                let (own, rest) = MessageType::take(rest)?;
                (Self::Type(own), rest)
            }
            _ => return Err(Malformed::Value),
        };
        if !rest.is_empty() {
            return Err(Malformed::TooLong);
        }
        Ok(refusal)
    }
}

/// The opener's end.
pub(crate) struct Outgoing {
    pub(crate) state: Cell<State>,
    pub(crate) credit: Cell<u32>,
    /// The state or the credit has changed.
    pub(crate) changed: Notify,
    /// Ends the proxy's mailbox.
    pub(crate) close: Box<dyn Fn(Ended)>,
}

/// Takes the message out of a frame.
pub(crate) type Take = Box<dyn Fn(Reader<'_>) -> Result<(), LinkError>>;

/// The end at the actor's node.
pub(crate) struct Incoming {
    /// Its drop ends the channel's task, once what came before has reached the actor.
    pub(crate) take: Rc<Take>,
}

/// Opens the end of a channel at an actor's node: a queue for as many messages as the peer has credit for, and a task that moves them to the actor, so that a
/// slow actor holds up nobody else. `place` is held as long as the task lives. `None` if the actor has ended.
pub(crate) fn open<M: Wire>(
    to: &WeakAddress<M>,
    link: &Rc<Shared>,
    id: u32,
    window: u32,
    tasks: &Handle,
    place: Rc<()>,
) -> Result<Option<Incoming>, LinkError> {
    let Some(actor) = to.upgrade() else {
        return Ok(None);
    };
    let (queue, messages) = channel::<M>(usize::try_from(window).unwrap_or(usize::MAX));
    let (weak, shared) = (to.clone(), Rc::downgrade(link));
    tasks.spawn(async move {
        let _place = place;
        let forward = async {
            while let Some(message) = messages.receive().await {
                if actor.send(message).await.is_err() {
                    // It ends, which is told below.
                    core::future::pending::<()>().await;
                }
                if let Some(link) = shared.upgrade() {
                    link.push(Kind::Credit, id, &1u32.to_le_bytes());
                }
            }
        };
        if let Either::Second(ended) = select(forward, weak.ended()).await
            && let Some(link) = shared.upgrade()
        {
            link.end_incoming(id, ended);
        }
    })?;
    let take: Rc<Take> = Rc::new(Box::new(move |reader| {
        let message = reader.read::<M>()?;
        match queue.try_send(message) {
            // The actor has ended: the peer hears of it.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Malformed::Credit(id).into()),
        }
    }));
    Ok(Some(Incoming { take }))
}

/// Why an actor has ended, as a byte. What a failure said stays in its program.
pub(crate) fn to_byte(ended: Ended) -> u8 {
    match ended {
        Ended::Finished => 0,
        Ended::Stopped => 1,
        Ended::Failed(_) => 2,
        Ended::Aborted => 3,
        Ended::PeerGone => 4,
    }
}

pub(crate) fn from_byte(byte: u8) -> Result<Ended, Malformed> {
    Ok(match byte {
        0 => Ended::Finished,
        1 => Ended::Stopped,
        2 => Ended::Failed(Failure("failed at its node")),
        3 => Ended::Aborted,
        4 => Ended::PeerGone,
        _ => return Err(Malformed::Value),
    })
}
