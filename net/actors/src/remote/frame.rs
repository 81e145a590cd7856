//! Frames: a length (u32), a kind (u8), an id (u32), and what the kind says; all numbers are little-endian. The length counts what follows it.
//!
//! TCP and shared memory see to it that bytes arrive as they were sent, so frames have no checksum.

use alloc::vec::Vec;

use super::error::{LinkError, Malformed};

/// The first bytes of a hello, where other frames have their id.
pub(crate) const MAGIC: u32 = u32::from_le_bytes(*b"MACT");
/// The version of the protocol that this is.
pub(crate) const VERSION: u16 = 2;
/// Kind and id.
pub(crate) const HEADER: usize = 5;
/// The length of a hello, without the field that says so.
pub(crate) const HELLO: usize = HEADER + 2 + 8 + 8;

/// What a frame is. `Open`, `Message` and `Close` go from who opened a channel to the actor's node; `Opened`, `Refused`, `Credit` and `Ended` the other way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The first frame of each side: version (u16), node (u64), incarnation (u64). The id is [`MAGIC`].
    Hello = 0,
    /// A channel to an actor: the type of its messages, and its name, which is the rest.
    Open = 1,
    /// The channel is open, with credit for so many messages (u32).
    Opened = 2,
    /// There is no channel: why (u8), and the type of the actor's messages if that is the reason.
    Refused = 3,
    /// A message.
    Message = 4,
    /// So many more messages may be sent (u32).
    Credit = 5,
    /// The answer to the request of this id.
    Answer = 6,
    /// There will be none.
    NoAnswer = 7,
    /// The channel's actor has ended: why (u8).
    Ended = 8,
    /// Whoever opened the channel needs it no more.
    Close = 9,
    /// Nothing but a sign of life.
    Alive = 10,
}

impl Kind {
    pub(crate) fn of(byte: u8) -> Result<Self, Malformed> {
        Ok(match byte {
            0 => Self::Hello,
            1 => Self::Open,
            2 => Self::Opened,
            3 => Self::Refused,
            4 => Self::Message,
            5 => Self::Credit,
            6 => Self::Answer,
            7 => Self::NoAnswer,
            8 => Self::Ended,
            9 => Self::Close,
            10 => Self::Alive,
            _ => return Err(Malformed::Kind(byte)),
        })
    }
}

/// A frame without what is to follow its id; [`finish`] writes its length.
pub(crate) fn begin(kind: Kind, id: u32) -> Vec<u8> {
    let mut frame = Vec::with_capacity(32);
    frame.extend([0; 4]);
    frame.push(kind as u8);
    frame.extend(id.to_le_bytes());
    frame
}

/// Writes the length of a frame, which is at most 4 GiB by the limits of a frame.
pub(crate) fn finish(frame: &mut [u8]) {
    let len = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    frame[..4].copy_from_slice(&len.to_le_bytes());
}

pub(crate) fn whole(kind: Kind, id: u32, rest: &[u8]) -> Vec<u8> {
    let mut frame = begin(kind, id);
    frame.extend(rest);
    finish(&mut frame);
    frame
}

/// What a peer's hello says: its node and its incarnation.
pub(crate) fn read_hello(frame: &[u8]) -> Result<(u64, u64), LinkError> {
    let number = |at: usize| {
        let bytes = frame
            .get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map(u64::from_le_bytes).ok_or(Malformed::Short)
    };
    let start = [&[Kind::Hello as u8][..], &MAGIC.to_le_bytes()].concat();
    if !frame.starts_with(&start) {
        return Err(LinkError::NotActors);
    }
    let Some(&[low, high]) = frame.get(HEADER..HEADER + 2) else {
        return Err(Malformed::Short.into());
    };
    let version = u16::from_le_bytes([low, high]);
    if version != VERSION {
        return Err(LinkError::Version(version));
    }
    if frame.len() != HELLO {
        return Err(Malformed::TooLong.into());
    }
    Ok((number(HEADER + 2)?, number(HEADER + 10)?))
}
